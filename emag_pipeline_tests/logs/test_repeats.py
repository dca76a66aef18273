"""A library that says the same again and again is told once, and how often."""

import logging
import threading
from collections.abc import Iterator

import pytest

from emag_pipeline.logs import logger, repeats
from emag_pipeline.logs.repeats import Repeats
from emag_pipeline_tests.local.ups import wait_until

_SAID = "Retrying failed database connection: %s"


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def kept() -> Iterator[_Kept]:
    handler = _Kept()
    handler.addFilter(Repeats(handler))
    for name in ("library", "emag_pipeline.repeating"):
        logging.getLogger(name).addHandler(handler)
    yield handler
    for name in ("library", "emag_pipeline.repeating"):
        logging.getLogger(name).removeHandler(handler)


def test_the_first_and_the_last_are_told_with_how_often(kept: _Kept) -> None:
    library = logging.getLogger("library")
    for what in ("refused", "refused", "starting up", "not yet"):
        library.warning(_SAID, what)
    library.error("another")
    repeats.tell_held()
    assert kept.lines == [
        _SAID % "refused",
        "another",
        f"{_SAID % 'not yet'} (logged 3 times since it was last printed)",
    ]


def test_it_is_told_again_as_long_as_it_lasts_and_at_once_when_it_comes_back(
    kept: _Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeats, "_FIRST_SECONDS", 0.5)
    library = logging.getLogger("library")
    library.warning(_SAID, "one")
    library.warning(_SAID, "two")
    wait_until(lambda: len(kept.lines) == 2, 60)
    assert kept.lines[1] == f"{_SAID % 'two'} (logged 1 time since it was last printed)"
    wait_until(lambda: not kept.filters[0]._series, 60)  # type: ignore[union-attr]
    library.warning(_SAID, "three")
    assert kept.lines[2] == _SAID % "three"


def test_events_of_ours_and_what_is_no_warning_always_pass(kept: _Kept) -> None:
    ours, library = logger("emag_pipeline.repeating"), logging.getLogger("library")
    library.setLevel(logging.INFO)
    for _ in range(3):
        ours.warning("heartbeat_missed", error="away")
        library.info("looking for new runs")
    assert len(kept.lines) == 6


def test_however_many_are_held_one_thread_waits_for_them(kept: _Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "_FIRST_SECONDS", 1.0)
    library, before = logging.getLogger("library"), threading.active_count()
    for number in range(300):
        library.warning("run %s is gone" % number)  # noqa: UP031 - a library that words each of them differently
        library.warning("run %s is gone" % number)  # noqa: UP031
    assert threading.active_count() <= before + 1
    wait_until(lambda: len(kept.lines) == 600, 60)
    assert sum("(logged 1 time since it was last printed)" in line for line in kept.lines) == 300
    wait_until(lambda: threading.active_count() <= before, 60)


def test_what_is_due_sooner_is_not_kept_waiting_by_what_is_due_later(
    kept: _Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = logging.getLogger("library")
    monkeypatch.setattr(repeats, "_FIRST_SECONDS", 3600.0)
    library.warning("slow")
    monkeypatch.setattr(repeats, "_FIRST_SECONDS", 0.5)
    for _ in range(2):
        library.warning("quick")
    wait_until(lambda: len(kept.lines) == 3, 60)
    assert kept.lines[2].startswith("quick (logged 1 time")
