"""What a scan asks for, step by step."""

from emag_pipeline.sync.completeness import Ask, Complete, Fault, PreviousOrder, Read, Refused, ScanDecisions, Situation
from emag_pipeline_tests.completeness.steps import ask, market_of, run

_IDS = range(1, 321)


def test_an_unchanged_account_is_counted_read_once_and_counted_again() -> None:
    scan = ScanDecisions(Situation(previous=PreviousOrder(_IDS)))
    windows = [Read(1, 100), Read(2, 97), Read(3, 95), Read(4, 94)]
    assert run(scan, market_of(), _IDS) == [Ask.COUNT, *windows, Read(5, 80), Ask.CONFIRM, Ask.COUNT]
    assert scan.verdict == Complete()


def test_a_first_publish_reads_the_head_once_more() -> None:
    scan = ScanDecisions(Situation())
    asked = run(scan, market_of())
    assert asked[5:] == [Read(5, 80), Read(1, 100), Ask.CONFIRM, Ask.COUNT]
    assert scan.verdict == Complete()


def test_an_account_without_offers_is_complete() -> None:
    scan = ScanDecisions(Situation())
    assert run(scan, market_of([])) == [Ask.COUNT, Read(1, 100), Ask.CONFIRM, Ask.COUNT]
    assert scan.verdict == Complete()


def test_an_empty_listing_with_a_count_is_refused() -> None:
    scan = ScanDecisions(Situation())
    run(scan, market_of([], count_says=5))
    assert scan.verdict == Refused(Fault.EMPTY_LISTING, "the first page")


def test_a_scan_that_is_taken_up_again_reads_nothing_twice() -> None:
    market = market_of(range(1, 1201))
    killed = ScanDecisions(Situation(previous=PreviousOrder(range(1, 1201))))
    before = run(killed, market, stop_after=8)
    windows = [one for one in before if isinstance(one, Read)]
    scan = ScanDecisions(Situation(previous=PreviousOrder(range(1, 1201))))
    scan.restore(1200, [(read, market.read(read), 1) for read in windows])
    after = run(scan, market, range(1, 1201))
    assert not set(windows) & {one for one in after if isinstance(one, Read)}
    assert scan.verdict == Complete()


def test_what_larger_pages_have_shown_still_counts_when_a_scan_is_taken_up_with_smaller_ones() -> None:
    """The marketplace became slow, the page size was lowered, and the run was stopped."""
    market = market_of(range(1, 1201))
    known = PreviousOrder(range(1, 1201))
    before = run(ScanDecisions(Situation(previous=known)), market, stop_after=8)
    windows = [one for one in before if isinstance(one, Read)]
    scan = ScanDecisions(Situation(page_size=50, previous=known))
    scan.restore(1200, [(read, market.read(read), 1) for read in windows])
    after = [one for one in run(scan, market, range(1, 1201)) if isinstance(one, Read)]
    assert min(read.first for read in after) > max(read.stop for read in windows) - 50
    assert {read.size for read in after} <= set(range(1, 51))
    assert scan.verdict == Complete()


def test_a_position_that_cannot_be_read_costs_that_position() -> None:
    market = market_of(poison=frozenset({150}))
    scan = ScanDecisions(Situation(previous=PreviousOrder(_IDS)))
    run(scan, market, [one for one in _IDS if one != 150])
    assert scan.verdict == Complete()
    assert scan.seen.missing(_IDS) == [150]
    assert scan.chain is not None
    assert scan.chain.stretches.unreadable == 1


def test_a_count_that_is_off_is_published_and_marked() -> None:
    scan = ScanDecisions(Situation())
    run(scan, market_of(count_is_off=7))
    assert isinstance(scan.verdict, Complete)
    assert "the count itself is wrong" in scan.verdict.marks
    assert scan.readings.number == 2


def test_nothing_is_deleted_against_a_count_that_one_reading_does_not_explain() -> None:
    known = [*_IDS, 401, 402]
    scan = ScanDecisions(Situation(previous=PreviousOrder(known)))
    asked = run(scan, market_of(count_is_off=2), known)
    plain = [Read(page, 100) for page in (1, 2, 3, 4)]
    assert [one for one in asked if isinstance(one, Read)][-7:-1] == [Read(4, 100), Read(4, 100), *plain]
    assert scan.readings.number == 2
    assert scan.verdict == Complete(("the count itself is wrong", "the count leaves a remainder of 2"))


def test_what_the_count_leaves_is_explained_where_the_listing_ends_at_the_count() -> None:
    known = [*_IDS, 401, 402]
    market = market_of()
    scan = ScanDecisions(Situation(previous=PreviousOrder(known)))
    before = run(scan, market, known, stop_after=3)
    assert before == [Ask.COUNT, Read(1, 100), Read(2, 97)]
    market.listing.ids[50:50] = [501, 502]  # arrived behind the reader: no page of the chain shows them
    after = run(scan, market, known)
    assert scan.readings.number == 1
    assert scan.verdict == Complete(("the count leaves a remainder of 2",))
    assert after[-3:-1] == [Ask.CONFIRM, Ask.COUNT]
    assert isinstance(after[-1], Read), "the tail"


def test_the_last_page_repeated_for_ever_is_an_end_where_the_count_agrees() -> None:
    scan = ScanDecisions(Situation())
    run(scan, market_of(last_page_again=True))
    assert isinstance(scan.verdict, Complete)


def test_ignored_page_numbers_are_named_where_the_first_page_comes_last() -> None:
    scan, market = ScanDecisions(Situation(ignores_odd_sizes=True)), market_of(ignores_page=True)
    late: list[Read] = []
    while (action := scan.take()) is not None or late:
        if isinstance(action, Read):
            late.append(action)
        elif action is not None:
            ask(scan, market, action)
        if action is None or len(late) == 4:
            while late:
                scan.answered(late[-1], market.read(late[-1]))
                late.pop()
    assert isinstance(scan.verdict, Refused)
    assert scan.verdict.fault is Fault.IGNORED_PAGE
    assert scan.verdict.where != "position 0"


def test_ignored_page_numbers_are_named_after_a_few_calls() -> None:
    scan = ScanDecisions(Situation())
    asked = run(scan, market_of(ignores_page=True))
    assert isinstance(scan.verdict, Refused)
    assert scan.verdict.fault is Fault.IGNORED_PAGE
    assert len(asked) <= 6


def test_a_listing_that_reordered_itself_since_the_last_scan_is_recognised() -> None:
    scan = ScanDecisions(Situation(previous=PreviousOrder([*_IDS[1:200], 1, *_IDS[200:]])))
    run(scan, market_of(), _IDS)
    assert scan.order.inversions
    assert scan.verdict == Complete(("the listing reorders itself",))


def test_an_offer_that_stands_twice_is_read_at_both_places_and_counted_twice() -> None:
    scan = ScanDecisions(Situation())
    asked = run(scan, market_of([*range(1, 251), 30, *range(251, 321)]))
    assert scan.doubles.found == {30}
    assert scan.verdict == Complete()
    assert scan.readings.number == 1
    assert [one for one in asked if isinstance(one, Read)][5:7] == [Read(1, 100), Read(4, 83)]


def test_an_offer_that_stands_twice_on_one_page_is_counted_twice() -> None:
    scan = ScanDecisions(Situation())
    run(scan, market_of([*range(1, 51), 30, *range(51, 321)]))
    assert scan.doubles.found == {30}
    assert scan.verdict == Complete()


def test_an_offer_that_has_stood_twice_before_is_no_sign_of_another_order() -> None:
    ids = [*range(1, 251), 30, *range(251, 321)]
    scan = ScanDecisions(Situation(previous=PreviousOrder(ids)))
    run(scan, market_of(ids), _IDS)
    assert scan.verdict == Complete()
