"""What a scan asks for, step by step."""

import random
from collections.abc import Sequence

from emag_pipeline.completeness import Ask, Complete, Fault, PreviousOrder, Read, Refused, Scan, Situation
from emag_pipeline_tests.completeness.listing import Listing
from emag_pipeline_tests.completeness.market import Fails, Market

_IDS = range(1, 321)


def _run(scan: Scan, market: Market, known: Sequence[int] = (), stop_after: int | None = None) -> list[Read | Ask]:
    """Do what the scan asks for, one call at a time."""
    asked: list[Read | Ask] = []
    while len(asked) != stop_after and (action := scan.take()) is not None:
        asked.append(action)
        if action is Ask.COUNT:
            scan.counted(market.count())
        elif action is Ask.CONFIRM:
            missing = scan.seen.missing(known)
            found = [one for one in missing if one in market.listing.ids]
            scan.confirmed(found, len(missing) - len(found))
        elif isinstance(action, Read):
            try:
                scan.answered(action, market.read(action))
            except Fails:
                scan.failed(action)
    return asked


def _market(ids: Sequence[int] = _IDS, **faults: object) -> Market:
    listing = Listing("created", random.Random(1), list(ids))
    return Market(listing, **faults)  # type: ignore[arg-type]


def test_an_unchanged_account_is_counted_read_once_and_counted_again() -> None:
    scan = Scan(Situation(previous=PreviousOrder(_IDS)))
    windows = [Read(1, 100), Read(2, 97), Read(3, 95), Read(4, 94)]
    assert _run(scan, _market(), _IDS) == [Ask.COUNT, *windows, Read(5, 80), Ask.CONFIRM, Ask.COUNT]
    assert scan.verdict == Complete()


def test_a_first_publish_reads_the_head_once_more() -> None:
    scan = Scan(Situation())
    asked = _run(scan, _market())
    assert asked[5:] == [Read(5, 80), Read(1, 100), Ask.CONFIRM, Ask.COUNT]
    assert scan.verdict == Complete()


def test_an_account_without_offers_is_complete() -> None:
    scan = Scan(Situation())
    assert _run(scan, _market([])) == [Ask.COUNT, Read(1, 100), Ask.CONFIRM, Ask.COUNT]
    assert scan.verdict == Complete()


def test_an_empty_listing_with_a_count_is_refused() -> None:
    scan = Scan(Situation())
    _run(scan, _market([], count_says=5))
    assert scan.verdict == Refused(Fault.EMPTY_LISTING, "the first page")


def test_a_scan_that_is_taken_up_again_reads_nothing_twice() -> None:
    market = _market(range(1, 1201))
    killed = Scan(Situation(previous=PreviousOrder(range(1, 1201))))
    before = _run(killed, market, stop_after=8)
    windows = [one for one in before if isinstance(one, Read)]
    scan = Scan(Situation(previous=PreviousOrder(range(1, 1201))))
    scan.restore(1200, [(read, market.read(read), 1) for read in windows])
    after = _run(scan, market, range(1, 1201))
    assert not set(windows) & {one for one in after if isinstance(one, Read)}
    assert scan.verdict == Complete()


def test_a_position_that_cannot_be_read_costs_that_position() -> None:
    market = _market(poison=frozenset({150}))
    scan = Scan(Situation(previous=PreviousOrder(_IDS)))
    _run(scan, market, [one for one in _IDS if one != 150])
    assert scan.verdict == Complete()
    assert scan.seen.missing(_IDS) == [150]
    assert scan.chain is not None
    assert scan.chain.stretches.unreadable == 1


def test_a_count_that_is_off_is_published_and_marked() -> None:
    scan = Scan(Situation())
    _run(scan, _market(count_is_off=7))
    assert isinstance(scan.verdict, Complete)
    assert "the count itself is wrong" in scan.verdict.marks
    assert scan.readings.number == 2


def test_nothing_is_deleted_against_a_count_that_one_reading_does_not_explain() -> None:
    known = [*_IDS, 401, 402]
    scan = Scan(Situation(previous=PreviousOrder(known)))
    asked = _run(scan, _market(count_is_off=2), known)
    plain = [Read(page, 100) for page in (1, 2, 3, 4)]
    assert [one for one in asked if isinstance(one, Read)][-7:-1] == [Read(4, 100), Read(4, 100), *plain]
    assert scan.readings.number == 2
    assert scan.verdict == Complete(("the count itself is wrong", "the count leaves a remainder of 2"))


def test_what_the_count_leaves_is_explained_where_the_listing_ends_at_the_count() -> None:
    known = [*_IDS, 401, 402]
    market = _market()
    scan = Scan(Situation(previous=PreviousOrder(known)))
    before = _run(scan, market, known, stop_after=3)
    assert before == [Ask.COUNT, Read(1, 100), Read(2, 97)]
    market.listing.ids[50:50] = [501, 502]  # arrived behind the reader: no page of the chain shows them
    after = _run(scan, market, known)
    assert scan.readings.number == 1
    assert scan.verdict == Complete(("the count leaves a remainder of 2",))
    assert after[-3:-1] == [Ask.CONFIRM, Ask.COUNT]
    assert isinstance(after[-1], Read), "the tail"


def test_the_last_page_repeated_for_ever_is_an_end_where_the_count_agrees() -> None:
    scan = Scan(Situation())
    _run(scan, _market(last_page_again=True))
    assert isinstance(scan.verdict, Complete)


def test_ignored_page_numbers_are_named_after_a_few_calls() -> None:
    scan = Scan(Situation())
    asked = _run(scan, _market(ignores_page=True))
    assert isinstance(scan.verdict, Refused)
    assert scan.verdict.fault is Fault.IGNORED_PAGE
    assert len(asked) <= 6


def test_a_listing_that_reordered_itself_since_the_last_scan_is_recognised() -> None:
    scan = Scan(Situation(previous=PreviousOrder([*_IDS[1:200], 1, *_IDS[200:]])))
    _run(scan, _market(), _IDS)
    assert scan.order.inversions
    assert scan.verdict == Complete(("the listing reorders itself",))


def test_an_offer_that_stands_twice_is_read_at_both_places_and_counted_twice() -> None:
    scan = Scan(Situation())
    asked = _run(scan, _market([*range(1, 251), 30, *range(251, 321)]))
    assert scan.doubles.found == {30}
    assert scan.verdict == Complete()
    assert scan.readings.number == 1
    assert [one for one in asked if isinstance(one, Read)][5:7] == [Read(1, 100), Read(4, 83)]


def test_an_offer_that_stands_twice_on_one_page_is_counted_twice() -> None:
    scan = Scan(Situation())
    _run(scan, _market([*range(1, 51), 30, *range(51, 321)]))
    assert scan.doubles.found == {30}
    assert scan.verdict == Complete()


def test_an_offer_that_has_stood_twice_before_is_no_sign_of_another_order() -> None:
    ids = [*range(1, 251), 30, *range(251, 321)]
    scan = Scan(Situation(previous=PreviousOrder(ids)))
    _run(scan, _market(ids), _IDS)
    assert scan.verdict == Complete()
