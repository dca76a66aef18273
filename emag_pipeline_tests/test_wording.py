"""Durations, times, counts and what an error says in one line, as messages word them."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from emag_pipeline import wording
from emag_pipeline.wording import age, closed, gist, iso, minute


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (59.9, "59 seconds"), (60, "1 minute"), (7200, "2 hours"), (200_000, "2 days")],
)
def test_an_age_is_told_in_its_largest_fitting_unit(seconds: float, words: str) -> None:
    assert age(seconds) == words


_HERE = datetime(2026, 3, 1, 6, tzinfo=timezone(timedelta(hours=2)))


def test_every_time_has_the_same_length_and_zone() -> None:
    assert iso(_HERE) == "2026-03-01T04:00:00.000000Z"
    assert iso(_HERE + timedelta(microseconds=5)) == "2026-03-01T04:00:00.000005Z"
    assert iso(None) is None
    assert datetime.fromisoformat(iso(_HERE)) == _HERE.astimezone(UTC)


def test_a_time_for_people_is_in_utc_to_the_minute() -> None:
    assert minute(_HERE) == "2026-03-01 04:00 UTC"


def test_a_sentence_gets_a_full_stop_but_a_question_keeps_its_mark() -> None:
    assert (closed("Start it"), closed("Did you mean this?")) == ("Start it.", "Did you mean this?")


_CALL = """grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with:
\tstatus = StatusCode.UNAVAILABLE
\tdetails = "failed to connect to all addresses; last error: UNKNOWN: unix:/tmp/x/code: No such file or directory"
\tdebug_error_string = "UNKNOWN:Error received from peer {grpc_status:14}"
>
"""
_ADDRESSES = """connection to server at "localhost" (::1), port 5432 failed: Connection refused
\tIs the server running on that host and accepting TCP/IP connections?
connection to server at "localhost" (127.0.0.1), port 5432 failed: FATAL:  password authentication failed for user "me"
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("one.\ntwo", "one"),
        ("Error in config:\n\n  Error 1: none is given.\n  Error 2", "Error in config: Error 1: none is given"),
        ("nothing follows:", "nothing follows"),
        (
            _CALL,
            "gRPC UNAVAILABLE: failed to connect to all addresses; last error: UNKNOWN: unix:/tmp/x/code: No such file "
            "or directory",
        ),
        (
            _ADDRESSES,
            'connection to server at "localhost" (::1), port 5432 failed: Connection refused; connection to server at '
            '"localhost" (127.0.0.1), port 5432 failed: FATAL:  password authentication failed for user "me"',
        ),
    ],
)
def test_a_text_of_several_lines_says_its_cause_in_one(text: str, said: str) -> None:
    assert gist(text) == said


def test_a_log_is_named_only_where_something_was_written_since(tmp_path: Path) -> None:
    log = tmp_path / "{odd} name.log"
    assert wording.see("see {log}", log) == "", "there is none"
    log.touch()
    assert wording.see("see {log}", log) == "", "it is empty"
    log.write_text("before\n")
    before = wording.size(log)
    assert wording.see("see {log}", log) == f"see {log}"
    assert wording.see("see {log}", log, before) == "", "those are another's words"
    log.write_text("before\nnow\n")
    assert wording.see("; see {log}", log, before) == f"; see {log}"
