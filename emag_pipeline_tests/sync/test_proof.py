import pytest

from emag_pipeline.sync.audit import doubts, repeats
from emag_pipeline_tests.sync.figures import figures


def test_a_scan_that_is_proven_is_complete_whatever_the_counts_say() -> None:
    assert doubts(figures()) == []
    assert doubts(figures(count_after=1207, remainder=7)) == []


def test_an_unreadable_position_accounts_for_one_offer() -> None:
    assert doubts(figures(rows=1199, distinct_ids=1199, unreadable_positions=1, unreadable_by_id=1)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"proven": 0}, "the scan has not proven that no offer is left out"),
        ({"unstaged": 2}, "2 offers that pages showed are not staged"),
        ({"unreadable_by_id": 1}, "1 missing offer cannot be read by its id, 0 positions are unreadable"),
    ],
)
def test_whatever_speaks_against_it_is_named(changes: dict[str, int], said: str) -> None:
    assert doubts(figures(**changes)) == [said]


def test_rows_of_an_offer_that_is_staged_twice_are_named() -> None:
    assert repeats(figures()) == []
    assert repeats(figures(rows=1210)) == ["10 staged rows repeat offers"]
