import pytest

from emag_pipeline.sync.proof import accidents, doubts
from emag_pipeline_tests.unit.figures import figures


def test_a_scan_that_adds_up_is_complete() -> None:
    assert doubts(figures()) == []


def test_an_unreadable_position_accounts_for_one_offer() -> None:
    assert doubts(figures(rows=1199, distinct_ids=1199, unreadable_positions=1, unreadable_by_id=1)) == []


def test_quarantined_offers_are_accounted_for() -> None:
    assert doubts(figures(rows=1197, distinct_ids=1197, rejected=3)) == []


def test_offers_found_by_id_may_or_may_not_be_part_of_the_count() -> None:
    assert doubts(figures(rows=1195, distinct_ids=1195, found_by_id=5)) == []
    assert doubts(figures(found_by_id=5)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pages_staged": 11}, "11 of 12 pages are staged"),
        ({"positions": 1100}, "1,100 positions of the listing are read up to position 1,200, 1,200 were counted"),
        ({"positions": 1100, "positions_end": 1100}, "1,100 positions of the listing are read up to position 1,100"),
        ({"rows_beyond": 100}, "100 rows are shown behind the last page, from position 1,200 on: the count is too low"),
        ({"unreadable_by_id": 1}, "1 missing offers cannot be read by their id, 0 positions are unreadable"),
        (
            {"distinct_ids": 1198, "rows": 1198, "unreadable_positions": 1},
            "the pages showed 1,198 different ones, 1 positions are unreadable",
        ),
        ({"count_after": 1201}, "the marketplace counted 1,200 offers before and 1,201 after the scan"),
        ({"rows": 1300}, "100 rows show offers that another page had shown already"),
        ({"distinct_ids": 1199, "rows": 1199}, "the marketplace counts 1,200 offers, the pages showed 1,199"),
        ({"distinct_ids": 1201, "rows": 1201}, "the marketplace counts 1,200 offers, the pages showed 1,201"),
    ],
)
def test_whatever_does_not_add_up_is_named(changes: dict[str, int], said: str) -> None:
    assert any(said in doubt for doubt in doubts(figures(**changes)))


def test_before_they_are_asked_for_missing_offers_may_explain_the_difference() -> None:
    short = figures(rows=1190, distinct_ids=1190, missing=10)
    assert doubts(short, before_confirming=True) == []
    assert doubts(short) != []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arrivals": 2}, ["2 new offers show, and another one may have slipped past"]),
        ({"arrivals": 2, "pages_expected": 1, "pages_staged": 1}, []),
        (
            {"count_before": 1203, "count_after": 1203, "found_by_id": 3},
            ["3 counted offers were found by their id only"],
        ),
        ({}, []),
    ],
)
def test_numbers_that_may_add_up_by_accident_are_named(changes: dict[str, int], said: list[str]) -> None:
    assert accidents(figures(**changes)) == said
