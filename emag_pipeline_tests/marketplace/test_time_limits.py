"""A server that hangs or dribbles does not hang the client."""

import socket
import time
from collections.abc import Iterator

import pytest

from emag_pipeline.errors import ApiUnavailable
from emag_pipeline.marketplace import Timeouts
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.marketplace.clients import client_of
from emag_pipeline_tests.marketplace.deaf import deaf_port

#: Far beyond the limits of these tests, far below the default ones.
_SOON_SECONDS = 20.0


def fails(url: str, timeouts: Timeouts) -> ApiUnavailable:
    """The error of a count, which must come soon."""
    began = time.monotonic()
    with client_of(url, timeouts=timeouts, attempts=1) as client, pytest.raises(ApiUnavailable) as caught:
        client.count()
    assert time.monotonic() - began < _SOON_SECONDS
    assert client.outcomes == ["ApiUnavailable"]
    return caught.value


def test_silence_is_ended_by_the_read_timeout(sandbox: SandboxServer) -> None:
    sandbox.add_fault("hang")
    assert "no data received for 0.3 s (read timeout)" in fails(sandbox.url, Timeouts(read_seconds=0.3)).message


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_byte_now_and_then_is_ended_by_the_total_timeout(sandbox: SandboxServer, part: str) -> None:
    sandbox.add_fault("dribble", part=part, seconds=0.5)
    assert "not complete after 0.7 s" in fails(sandbox.url, Timeouts(total_seconds=0.7)).message


def test_the_wait_for_a_slot_is_no_part_of_the_total(sandbox: SandboxServer) -> None:
    with client_of(sandbox.url, per_second=1.5, timeouts=Timeouts(total_seconds=0.4), attempts=1) as client:
        client.count()
        client.count()
    assert client.outcomes == ["ok", "ok"]
    assert all(record.seconds < 0.4 for record in client.records)


def test_after_a_cut_the_same_thread_calls_again(sandbox: SandboxServer) -> None:
    sandbox.add_fault("dribble", seconds=0.1, count=1)
    with client_of(sandbox.url, timeouts=Timeouts(total_seconds=0.7), attempts=2) as client:
        assert client.count().rows == 250
    assert client.outcomes == ["ApiUnavailable", "ok"]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_tls_handshake_that_never_ends_is_cut(silent_port: int) -> None:
    timeouts = Timeouts(connect_seconds=60, total_seconds=0.5)
    assert "after 0.5 s (total timeout)" in fails(f"https://127.0.0.1:{silent_port}/api-3", timeouts).message


@pytest.fixture
def deaf() -> Iterator[int]:
    with deaf_port() as port:
        yield port


def test_connecting_has_a_timeout_of_its_own(deaf: int) -> None:
    error = fails(f"http://127.0.0.1:{deaf}/api-3", Timeouts(connect_seconds=0.3))
    assert f"no connection to 127.0.0.1 port {deaf} within 0.3 s (connect timeout)" in error.message
    assert "firewall" in error.remedy


def test_connecting_is_cut_by_the_total_timeout(deaf: int) -> None:
    timeouts = Timeouts(connect_seconds=60, total_seconds=0.3)
    assert "not complete after 0.3 s" in fails(f"http://127.0.0.1:{deaf}/api-3", timeouts).message
