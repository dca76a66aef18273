"""One piece of evidence that cannot carry what was built on it: each of these was published wrongly, or never ended."""

import sys
from collections.abc import Sequence
from typing import Any

import pytest

from emag_pipeline.sync.completeness import (
    Ask,
    Complete,
    Fault,
    PreviousOrder,
    Read,
    Refused,
    ScanDecisions,
    Situation,
    evidence_of,
)
from emag_pipeline.sync.completeness.chain import Ahead, Sizes
from emag_pipeline.sync.completeness.ends import Suspects, Tail
from emag_pipeline.sync.completeness.plain import Plain
from emag_pipeline.sync.completeness.reads import Window
from emag_pipeline.sync.completeness.runs import WindowRun
from emag_pipeline.sync.completeness.settling import Closing
from emag_pipeline.sync.completeness.situation import ChainState
from emag_pipeline_tests.completeness.market import Market
from emag_pipeline_tests.completeness.steps import ask, market_of, read_durably, run

_IDS = range(1, 321)


def _heads(asked: Sequence[Read | Ask]) -> int:
    return sum(isinstance(one, Read) and one.first == 0 for one in asked)


def test_an_order_that_was_compared_for_a_few_offers_is_no_order() -> None:
    for published, heads in ((3, 2), (1_500, 2), (2_000, 2), (2_400, 1)):
        ids = range(1, 2_501)
        scan = ScanDecisions(Situation(previous=PreviousOrder(ids[-published:])))
        assert _heads(run(scan, market_of(ids), ids)) == heads


def test_pages_that_show_50_rows_whatever_is_asked_are_read_as_pages_of_50() -> None:
    ids = range(1, 1_501)
    for cap, offers in ((50, 1_500), (50, 120), (30, 1_200)):
        scan = ScanDecisions(Situation())
        asked = run(scan, market_of(ids[:offers], shows_at_most=cap))
        assert scan.verdict == Complete()
        assert scan.seen.missing(ids[:offers]) == []
        assert scan.chain is not None
        assert scan.chain.size == cap
        assert len(asked) < offers / cap * 1.4 + 10


def test_six_repairs_that_join_nothing_show_that_page_sizes_are_ignored_and_plain_pages_are_read() -> None:
    ids = range(1, 1_201)
    scan = ScanDecisions(Situation())
    run(scan, market_of(ids, odd_sizes_shift=True))
    assert scan.verdict == Complete(("the windows did not join",))
    assert scan.seen.missing(ids) == []
    assert scan.chain is not None
    assert (scan.chain.is_disobeyed, scan.chain.repairs) == (True, 6)


def test_two_full_pages_of_new_offers_behind_the_count_let_five_more_be_planned() -> None:
    ahead = Ahead(100, most=10_000)
    for page, new, planned in ((2, 0, 100), (2, 100, 100), (3, 100, 800)):
        ahead.note(Window.of(Read(page, 100), range(100), page), new, 100)
        assert (page, new, ahead.offers) == (page, new, planned)


@pytest.mark.parametrize(("offers", "most"), [(1, None), (100, 9)])
def test_two_ends_of_a_growing_listing_that_are_alike_are_no_bound_of_rows(offers: int, most: int | None) -> None:
    sizes = Sizes()
    assert sizes.shown_at_most(Window.of(Read(1, 99), range(9), 1), offers) is None
    assert sizes.shown_at_most(Window.of(Read(2, 14), range(14, 23), 2), offers) == most


def test_a_second_short_page_of_the_same_number_proves_no_end() -> None:
    suspects = Suspects()
    shown = range(1, 71)
    assert suspects.is_no_end(Window.of(Read(4, 100), shown, 1), 1_000, 100, [])
    assert suspects.is_no_end(Window.of(Read(4, 90), shown, 2), 1_000, 100, [])
    assert not suspects.is_no_end(Window.of(Read(5, 80), shown, 3), 1_000, 100, [])


class _CutOff(Market):
    """Shows nothing behind position 150 until plain pages are asked for."""

    def _rows(self, read: Read) -> list[int]:
        self.heads = getattr(self, "heads", 0) + (read == Read(1, 100))
        return super()._rows(read) if self.heads > 2 else super()._rows(read)[: max(0, 150 - read.first)]


def test_plain_pages_that_show_much_that_a_chain_did_not_are_read_twice_and_the_chain_is_disproved() -> None:
    scan = ScanDecisions(Situation())
    listing = market_of(range(1, 1_201)).listing
    run(scan, _CutOff(listing))
    assert isinstance(scan.verdict, Complete)
    assert scan.verdict.marks[0] == "the windows did not join"
    evidence = evidence_of(scan)
    assert (evidence.head_reached, evidence.tail_reached, evidence.rounds) == (0, 0, 3)


def test_a_head_that_fails_is_read_in_smaller_pages() -> None:
    market = market_of(head_fails=2)
    scan = ScanDecisions(Situation())
    asked = [one for one in run(scan, market) if isinstance(one, Read)]
    assert asked[5:] == [Read(1, 100), Read(1, 50), Read(1, 20), Read(2, 20), Read(2, 40), Read(2, 80)]
    assert scan.verdict == Complete()
    assert evidence_of(scan).heads == 1


def test_a_head_that_cannot_be_read_again_is_not_counted_and_all_pages_are_read() -> None:
    scan, market = ScanDecisions(Situation()), market_of()
    while (action := scan.take()) is not None:
        if isinstance(action, Read) and scan.closing.has(action):
            scan.failed(action)
        else:
            ask(scan, market, action)
    assert scan.verdict == Complete(("the head could not be read again",))
    assert (evidence_of(scan).heads, scan.readings.number) == (0, 2)


def test_a_position_that_no_page_shows_is_counted_once_where_windows_overlap() -> None:
    for position in (0, 5, 96, 97, 98, 99, 100, 150, 190, 193, 282, 285, 319):
        market = market_of(poison=frozenset({_IDS[position]}))
        scan = ScanDecisions(Situation())
        run(scan, market)
        assert (position, scan.accounted) == (position, 320)


def test_a_listing_that_goes_on_and_on_is_read_up_to_the_bound() -> None:
    for most in (500, 10_000):
        market = market_of(goes_on=True)
        scan = ScanDecisions(Situation(most_offers=most))
        run(scan, market)
        assert isinstance(scan.verdict, Refused)
        assert scan.verdict.fault is Fault.ENDLESS
        assert market.calls < (most + 2_000) / 85 + 20


@pytest.mark.parametrize(("offers", "size"), [(12, 100), (320, 100), (105, 20), (23, 10), (12, 5)])
def test_a_plain_reading_ends_when_the_parts_of_its_last_page_have_come(offers: int, size: int) -> None:
    ids = range(1, offers + 1)
    for bad in {(offers - 1) // size * size + 1, offers - 1, offers}:
        scan = ScanDecisions(Situation(page_size=size, ignores_odd_sizes=True))
        run(scan, market_of(ids, poison=frozenset({bad})))
        assert scan.verdict == Complete(("plain pages were united",))
        assert scan.seen.missing(ids) == [bad]
        assert [one.new for one in scan.readings.done] == [offers - 1, 0]


def test_a_last_page_is_taken_to_repeat_for_ever_after_three_pages_behind_it() -> None:
    scan = ScanDecisions(Situation(ignores_odd_sizes=True))
    asked = [one for one in run(scan, market_of(last_page_again=True)) if isinstance(one, Read)]
    assert scan.seen.missing(_IDS) == []
    assert asked[: asked.index(Read(1, 100), 1)] == [Read(page, 100) for page in range(1, 8)]


def test_plain_pages_alone_are_no_evidence_of_a_chain() -> None:
    scan = ScanDecisions(Situation(ignores_odd_sizes=True))
    run(scan, market_of())
    found = evidence_of(scan)
    assert (found.rounds, found.anchors, found.repairs, found.islands) == (2, 0, 0, 0)
    assert (found.head_reached, found.tail_reached, found.stretches, found.united) == (0, 0, 0, 0)


def test_an_answer_that_is_too_long_has_failed_wherever_it_was_asked_for() -> None:
    known = [*_IDS, 401, 402]
    scan, market = ScanDecisions(Situation(previous=PreviousOrder(known))), market_of(count_is_off=2)
    too_long = 0
    while (action := scan.take()) is not None:
        if isinstance(action, Read) and (scan.closing.has(action) or scan.readings.has(action)) and action.size > 20:
            scan.disobeyed(action)
            too_long += 1
        else:
            ask(scan, market, action, known)
    assert isinstance(scan.verdict, Complete)
    assert too_long > 1


@pytest.mark.parametrize("size", [100, 97, 50, 30, 25, 10, 7])
def test_sizes_that_are_answered_with_100_rows_are_not_asked_for_again_and_again(size: int) -> None:
    ids = range(1, 521)
    scan, market = ScanDecisions(Situation(page_size=size)), market_of(ids, odd_sizes_are_100=True)
    run(scan, market, ids)
    assert isinstance(scan.verdict, Complete)
    assert scan.seen.missing(ids) == []
    assert market.calls <= 2.5 * 520 / max(one for one in (100, 50, 20, 10, 5) if one <= size) + 25


def test_one_answer_that_is_too_long_is_no_habit() -> None:
    scan, market = ScanDecisions(Situation()), market_of(range(1, 1_201))
    asked = run(scan, market, stop_after=3)
    assert asked[-1] == Read(2, 97)
    action = scan.take()
    assert isinstance(action, Read)
    scan.disobeyed(action)
    run(scan, market)
    assert isinstance(scan.verdict, Complete)
    assert scan.chain is not None
    assert not scan.chain.is_disobeyed
    assert scan.readings.number == 1


def test_a_scan_that_does_not_know_how_to_go_on_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Closing, "take", lambda self, size, end, tail: None)
    scan = ScanDecisions(Situation())
    run(scan, market_of())
    assert scan.verdict == Refused(Fault.NO_WAY, "head")


@pytest.mark.parametrize("share", [0.9, 1.5, 1.9])
@pytest.mark.parametrize(("size", "offers"), [(100, 5_000), (1, 500)])
def test_plain_readings_are_taken_up_where_they_were_left(size: int, offers: int, share: float) -> None:
    ids = range(1, offers + 1)
    pages = offers // size
    situation = Situation(page_size=size, ignores_odd_sizes=True)
    market = market_of(ids)
    durable = read_durably(ScanDecisions(situation), market, lambda shown: len(shown) >= pages * share)
    scan = ScanDecisions(situation)
    scan.restore(offers, durable)
    asked = run(scan, market)
    reads = [one for one in asked if isinstance(one, Read)]
    assert len(durable) + len(reads) <= 2 * pages + 2
    assert scan.verdict == Complete(("plain pages were united",))


def test_the_reading_after_a_chain_is_taken_up_where_it_was_left() -> None:
    market = market_of(range(1, 2_001), count_is_off=30)
    durable = read_durably(ScanDecisions(Situation()), market, lambda shown: len(shown) == 24 + 4 + 15)
    assert durable[-1][2] == 2
    scan = ScanDecisions(Situation())
    scan.restore(2_030, durable)
    more = read_durably(scan, market)
    first, second = ({read for read, _, reading in shown if reading == 2} for shown in (durable, more))
    assert first.isdisjoint(second)
    assert isinstance(scan.verdict, Complete)


def test_offers_that_jumped_past_the_reader_lead_to_another_reading_though_the_count_agrees() -> None:
    market = market_of()
    ids = market.listing.ids
    scan = ScanDecisions(Situation())
    run(scan, market, stop_after=4)  # up to position 284
    ids.remove(310)
    ids.insert(150, 310)  # has jumped out of what is still to be read
    ids.remove(40)
    ids.insert(300, 40)  # was read, and shows up alone among new ones
    ids.remove(200)  # hides the first one from the count
    run(scan, market)
    assert 310 in scan.seen
    assert scan.readings.number == 2


def test_a_chain_that_is_torn_by_a_bulk_deletion_is_compared_in_one_look_at_each_row() -> None:
    ids = range(1, 100_001)
    market = market_of(ids)
    scan = ScanDecisions(Situation(most_offers=200_000, previous=PreviousOrder(ids)))
    run(scan, market, ids, stop_after=600)
    del market.listing.ids[20_000:20_500]
    most = 0
    while scan.verdict is None:
        calls, action = _counting_calls(scan)
        most = max(most, calls)
        if action is not None:
            ask(scan, market, action)
    assert isinstance(scan.verdict, Complete)
    assert scan.chain is not None
    assert scan.chain.repairs > 1
    assert most < 100_000, "calls of functions, for as many rows"


def _counting_calls(scan: ScanDecisions) -> tuple[int, Read | Ask | None]:
    calls = 0

    def note(_frame: Any, event: str, _about: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        action = scan.take()
    finally:
        sys.setprofile(None)
    return calls, action


def test_a_plain_page_behind_the_end_that_comes_first_ends_nothing() -> None:
    plain = Plain(250, 100, 10_000)
    first, second, third = (plain.take() for _ in range(3))
    assert first is not None
    assert second is not None
    assert third is not None
    plain.failed(third)
    parts = [plain.take() for _ in range(2)]
    assert [one and one.first for one in parts] == [200, 250]
    plain.answered(Read(6, 50), Window.of(Read(6, 50), (), 1), 0)
    assert (plain.take(), plain.is_done) == (None, False)
    for one, ids in ((first, range(1, 101)), (second, range(101, 201)), (Read(5, 50), range(201, 251))):
        plain.answered(one, Window.of(one, ids, 2), len(ids))
    assert (plain.take(), plain.is_done) == (None, True)


def test_rows_stand_behind_the_end_three_times_before_a_short_page_there_is_believed() -> None:
    for pushed, proofs in ((2, [False, False, True]), (30, [False, False, False])):
        tail = Tail(100, 10_000, Suspects())
        run_of_windows = WindowRun.of(Window.of(Read(1, 100), range(1, 91), 1))
        said = []
        for number in range(3):
            short = Window.of(Read(1, 100 - number), range(1, 91 - number), number)
            run_of_windows.short = run_of_windows.windows[0] = short
            read = tail.look(run_of_windows, 100)
            assert read is not None
            rows = range(100 * number + 200, 100 * number + 200 + pushed)
            tail.answered(read, Window.of(read, rows, number), pushed, run_of_windows)
            said.append(tail.is_proven)
        assert said == proofs


def test_a_look_behind_the_end_is_no_window_of_a_chain_that_is_taken_up_again() -> None:
    market, killed = market_of(last_page_again=True), ScanDecisions(Situation())
    durable = read_durably(
        killed, market, lambda _: killed.chain is not None and killed.chain.state is ChainState.REPEATS
    )
    assert [reading for _, _, reading in durable].count(0) == 2
    scan = ScanDecisions(Situation())
    scan.restore(320, durable)
    run(scan, market)
    assert scan.verdict == Complete(("the last page is repeated for ever",))
    assert scan.chain is not None
    assert scan.chain.end == 320
