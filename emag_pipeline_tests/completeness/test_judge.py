"""The decision code before its judge: a smaller run of `python -m emag_pipeline_tests.completeness`."""

import random

import pytest

from emag_pipeline_tests.completeness.budgets import budgets
from emag_pipeline_tests.completeness.groups import groups
from emag_pipeline_tests.completeness.judge import judge
from emag_pipeline_tests.completeness.settings import Group

_SCANS = 3_000
_GROUPS = [group for group in groups() if group.most is None and "30,000" not in group.name]


@pytest.mark.parametrize("group", _GROUPS, ids=[f"{group.section}: {group.name}" for group in _GROUPS])
def test_nothing_is_missed_nothing_is_kept_and_only_lies_are_refused(group: Group) -> None:
    figures = judge(group, max(2, round(_SCANS * group.share)), seed="test")
    assert figures.against() == []


@pytest.mark.parametrize(
    ("name", "number"),
    [("2 arrive a read", 1505), ("2 arrive a read", 8214), ("500 arrive or depart at one moment", 1073)],
)
def test_scans_that_a_larger_run_has_found_end_as_the_others_do(name: str, number: int) -> None:
    """Two went round for ever, as two ends of a growing listing were alike; one was refused, as its end had grown."""
    (group,) = [one for one in _GROUPS if one.name == name]
    chance = random.Random(f"1/{group.section}/{name}/{number}")
    played = group.draw(chance).play(chance)
    assert (played.refused, played.missed, played.kept) == (None, 0, 0)


def test_a_miss_in_a_listing_that_reorders_itself_is_marked_unless_the_count_hides_it() -> None:
    figures = [judge(group, 12, seed="test") for group in _GROUPS if group.section == "reordering"]
    unmarked = sum(one.scans_with_a_miss - one.marked_misses for one in figures)
    assert unmarked <= sum(one.scans for one in figures) // 10


@pytest.mark.parametrize("offers", [12_000, 6_000, 2_500, 1_200, 700, 300])
def test_a_sync_costs_what_it_must(offers: int) -> None:
    too_many = [one for one in budgets(scans=1, sizes=(offers,)) if not one.is_borne]
    assert too_many == []
