"""How long a scan will still take, by how far its present reading is."""

import pytest

from emag_pipeline.sync import context
from emag_pipeline.sync.context import Progress, ProgressReporter
from emag_pipeline.sync.plan import allowed_seconds, readings_due, scan_seconds
from emag_pipeline.sync.staging import Reached


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    clock = _Clock()
    monkeypatch.setattr(context, "time", clock)
    return clock


def test_what_is_left_counts_all_readings_that_are_due_and_follows_the_one_under_way(clock: _Clock) -> None:
    told: list[Progress] = []
    reporter = ProgressReporter(told.append, 0.0)
    reporter.begin(pages=10, offers=1000, pages_done=0, offers_done=0, readings=2)
    for now, reading, position, offers in (
        (10, 1, 500, 500),
        (20, 1, 1000, 1000),
        (30, 2, 500, 1000),
        (35, 2, 750, 1000),
    ):
        clock.now = now
        reached = Reached(min(10, position // 100), 10, offers, reading, position)
        reporter.note(reached, offers=offers)
    assert [one.remaining_seconds for one in told] == [30, 20, None, 5]
    assert [one.pages_done for one in told] == [5, 10, 10, 10], "what was reached does not become less"


def test_a_page_behind_the_count_is_one_of_as_many_also_in_the_next_reading(clock: _Clock) -> None:
    told: list[Progress] = []
    reporter = ProgressReporter(told.append, 0.0)
    reporter.begin(pages=12, offers=1200, pages_done=0, offers_done=0, readings=2)
    for reading, pages, expected in ((1, 13, 13), (2, 1, 12)):
        clock.now += 10
        reporter.note(Reached(pages, expected, 1236, reading, pages * 100), offers=1236)
    assert [(one.pages_done, one.pages_expected) for one in told] == [(13, 13), (13, 13)]


def test_a_resumed_reading_is_reckoned_from_where_it_goes_on(clock: _Clock) -> None:
    told: list[Progress] = []
    reporter = ProgressReporter(told.append, 0.0)
    reporter.begin(pages=10, offers=1000, pages_done=8, offers_done=800)
    clock.now = 10
    reporter.note(Reached(9, 10, 900, 1, 900), offers=900)
    assert told[0].remaining_seconds == 10


@pytest.mark.parametrize(("size", "ignores_odd_sizes"), [(1, False), (7, False), (100, True)])
def test_where_plain_pages_are_read_there_is_time_for_four_readings(size: int, ignores_odd_sizes: bool) -> None:
    readings = readings_due(size, ignores_odd_sizes=ignores_odd_sizes)
    needed = scan_seconds(20_000, size, 1 / 3, readings)
    assert needed >= 2 * 20_000 / size / 3
    assert allowed_seconds(0.1, needed) > 4 * 20_000 / size / 3


def test_a_chain_is_one_reading() -> None:
    assert readings_due(8, ignores_odd_sizes=False) == readings_due(100, ignores_odd_sizes=False) == 1
