"""Faults of the connection: silence, resets, trickles, cut-off transfers."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox

SHORT_SECONDS = 0.3
AMPLE_SECONDS = 1.0  # for what must arrive, on a busy machine too
#: how `requests` reports a connection that ends: before the headers, or in the body
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def call_impatiently(reader: Reader, seconds: float = SHORT_SECONDS, *, stream: bool = False) -> requests.Response:
    address = f"{reader.url}/vat/read"
    return reader.session.post(address, json={"data": {}}, timeout=seconds, stream=stream)


def wait_for_a_call_under_way(sandbox: SandboxServer) -> None:
    patience = time.monotonic() + 20
    while not sandbox.stats("main")["at_once"]:
        assert time.monotonic() < patience
        time.sleep(0.005)


def test_hang_never_answers(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("hang", count=1)
    with pytest.raises(requests.ReadTimeout):
        call_impatiently(reader)
    assert reader.call().status_code == 200


def test_a_hanging_call_is_counted_and_has_no_status(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("hang")
    with pytest.raises(requests.ReadTimeout):
        call_impatiently(reader)
    (seen,) = sandbox.requests()
    assert (seen["status"], seen["fault"]) == (None, "hang")


def test_a_hang_of_some_seconds_ends_without_an_answer(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("hang", seconds=0.1)
    begun = time.monotonic()
    with pytest.raises(requests.ConnectionError):
        reader.call()
    assert time.monotonic() - begun >= 0.1


@pytest.mark.parametrize(
    ("kind", "options"),
    [("hang", {}), ("slow", {"seconds": 60}), ("dribble", {"seconds": 60}), ("dribble", {"part": "headers"})],
)
def test_stopping_cuts_off_a_call_that_waits(kind: str, options: dict[str, object]) -> None:
    sandbox = unlimited_sandbox().start()
    sandbox.add_fault(kind, **options)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(Reader(sandbox).call)
        wait_for_a_call_under_way(sandbox)
        sandbox.stop()
        with pytest.raises(BROKEN):
            waiting.result(timeout=15)


def test_reset_ends_the_connection_without_a_byte(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("reset", count=1)
    with pytest.raises(requests.ConnectionError) as caught:
        reader.call()
    assert "Connection reset by peer" in str(caught.value)
    assert reader.call().status_code == 200


def test_a_reset_answer_has_no_status(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("reset")
    with pytest.raises(requests.ConnectionError):
        reader.call()
    assert sandbox.requests()[0]["status"] is None


def test_reset_after_some_bytes_breaks_off_the_body(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("reset", after_bytes=20)
    with pytest.raises(BROKEN):
        reader.call("product_offer/read")


def test_a_silent_fault_leaves_page_faults_for_the_next_call(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("empty_page", count=1)
    sandbox.add_fault("reset", count=1)
    with pytest.raises(requests.ConnectionError):
        reader.call("product_offer/read")
    assert [len(reader.page()) for _ in range(2)] == [0, 100]


def test_truncated_json_may_cut_the_connection_before_the_promised_length(
    sandbox: SandboxServer, reader: Reader
) -> None:
    sandbox.add_fault("truncated_json", cut="connection")
    with pytest.raises(BROKEN) as caught:
        reader.call("product_offer/read")
    assert "IncompleteRead" in str(caught.value)


def test_dribble_sends_the_headers_and_then_hardly_anything(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("dribble", seconds=60)
    answer = call_impatiently(reader, AMPLE_SECONDS, stream=True)
    assert answer.status_code == 200
    with pytest.raises(requests.ConnectionError, match="timed out"):
        _ = answer.content


def test_dribble_may_begin_with_the_headers(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("dribble", seconds=60, part="headers")
    with pytest.raises(requests.ReadTimeout):
        call_impatiently(reader, stream=True)


def test_a_fast_dribble_arrives_whole_in_the_end(sandbox: SandboxServer, reader: Reader) -> None:
    whole = reader.call("vat/read").json()
    sandbox.add_fault("dribble", seconds=0.001, part="headers")
    assert reader.call("vat/read").json() == whole


def test_slow_answers_well_but_late(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("slow", seconds=0.2, count=1)
    answer = reader.call()
    assert answer.elapsed.total_seconds() >= 0.2
    assert answer.json()["isError"] is False


def test_calls_under_way_together_are_counted(sandbox: SandboxServer) -> None:
    sandbox.add_fault("slow", seconds=0.3)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: Reader(sandbox).call(), range(3)))
    stats = sandbox.stats("main")
    assert stats["at_once"] == 0
    assert 2 <= stats["most_at_once"] <= 3
