"""An abort ends every call and every wait of all threads, at once and for good."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from emag_pipeline.errors import CallAborted
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.marketplace.clients import Client, client_of

#: An abort takes milliseconds; what it ends would take minutes.
_SOON_SECONDS = 10.0


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def aborts(client: Client, calls: list[Future[Any]]) -> None:
    """Abort, and see every call end with CallAborted soon."""
    began = time.monotonic()
    client.abort()
    for call in calls:
        with pytest.raises(CallAborted):
            call.result(timeout=_SOON_SECONDS)
    assert time.monotonic() - began < _SOON_SECONDS


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SOON_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_abort_ends_hanging_calls(sandbox: SandboxServer, client: Client, threads: ThreadPoolExecutor) -> None:
    sandbox.add_fault("hang")
    calls = [threads.submit(client.read_page, number) for number in range(1, 5)]
    until(lambda: sandbox.stats("main")["at_once"] == 4)
    aborts(client, calls)
    assert client.outcomes == ["CallAborted"] * 4


def test_an_abort_ends_dribbling_calls(sandbox: SandboxServer, client: Client, threads: ThreadPoolExecutor) -> None:
    sandbox.add_fault("dribble", seconds=0.1)
    calls = [threads.submit(client.read_page, number) for number in range(1, 5)]
    until(lambda: sandbox.stats("main")["at_once"] == 4)
    time.sleep(0.3)  # into the bodies
    aborts(client, calls)


def test_an_abort_ends_the_wait_for_a_slot(sandbox: SandboxServer, threads: ThreadPoolExecutor) -> None:
    with client_of(sandbox.url, per_second=0.01) as client:
        calls = [threads.submit(client.read_page, number) for number in range(1, 5)]
        until(lambda: len(client.records) == 1)
        done = [call for call in calls if call.done()]
        aborts(client, [call for call in calls if call not in done])
        assert client.outcomes == ["ok"], "a call that never left is no attempt"


def test_an_abort_ends_the_wait_before_another_try(
    sandbox: SandboxServer, client: Client, threads: ThreadPoolExecutor
) -> None:
    sandbox.add_fault("storm_429", retry_after=100)
    call = threads.submit(client.count)
    until(lambda: bool(client.waits))
    aborts(client, [call])


def test_after_an_abort_every_call_is_refused(sandbox: SandboxServer, client: Client) -> None:
    client.abort()
    client.abort()
    for call in (client.count, lambda: client.read_page(1), lambda: client.read_offer(1)):
        with pytest.raises(CallAborted, match=r"main, .*: the call was aborted: this process is stopping"):
            call()
    assert sandbox.stats("main")["requests"] == 0
    assert client.records == []


def test_aborts_from_many_threads_at_once_are_one_abort(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("hang")
    with ThreadPoolExecutor(5) as pool:
        call = pool.submit(client.count)
        until(lambda: sandbox.stats("main")["at_once"] == 1)
        together = threading.Barrier(4)

        def abort() -> None:
            together.wait()
            client.abort()

        aborting = [pool.submit(abort) for _ in range(4)]
        for one in aborting:
            one.result(timeout=_SOON_SECONDS)
        aborts(client, [call])
