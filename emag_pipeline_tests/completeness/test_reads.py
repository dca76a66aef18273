"""Arithmetic of windows, and when two of them join."""

from itertools import pairwise

import pytest

from emag_pipeline.sync.completeness.order import order_of
from emag_pipeline.sync.completeness.reads import Read, Window, after, behind, parts, standing_still
from emag_pipeline.sync.completeness.runs import overlap


@pytest.mark.parametrize(
    ("size", "offers", "most"), [(100, 12_000, 1.17), (100, 1_000_000, 1.17), (50, 12_000, 1.29), (20, 12_000, 1.39)]
)
def test_a_chain_costs_little_more_than_plain_pages(size: int, offers: int, most: float) -> None:
    assert sum(1 for _ in standing_still(offers, size)) / (offers / size) <= most


def test_neighbours_of_a_chain_share_three_offers() -> None:
    reads = list(standing_still(30_000, 100))
    assert all(before.stop - read.first >= 3 for before, read in pairwise(reads))
    assert reads[:4] == [Read(1, 100), Read(2, 97), Read(3, 95), Read(4, 94)]


def test_some_borders_are_borders_of_every_small_size() -> None:
    assert after(60, 5) is None
    assert after(2_520, 10) is None
    assert after(2_520, 100) is not None


@pytest.mark.parametrize("place", [1, 97, 317, 12_000])
def test_a_read_begins_exactly_behind_the_end(place: int) -> None:
    assert behind(place, 100).first == place


def test_parts_cover_a_window_without_an_overlap() -> None:
    covered = [place for read in parts(97, 194, 50) for place in range(read.first, read.stop)]
    assert covered == list(range(97, 194))


def _joins(left: list[int], right: list[int]) -> bool:
    shared = overlap(left, right)
    return shared is not None and shared.joins


def test_the_end_of_one_window_is_the_beginning_of_the_next() -> None:
    assert _joins([1, 2, 3, 4, 5], [3, 4, 5, 6, 7])


def test_an_arrival_or_a_departure_among_the_anchors_is_borne() -> None:
    assert _joins([1, 2, 3, 4, 5], [3, 9, 4, 5, 6])
    assert _joins([1, 2, 3, 4, 5], [3, 5, 6, 7])


def test_one_shared_offer_in_the_middle_of_both_is_not_believed() -> None:
    assert not _joins([1, 2, 3, 4, 5], [7, 8, 3, 9, 10])


def test_an_offer_that_jumped_does_not_separate_what_joins() -> None:
    assert _joins([1, 5, 2, 3, 4, 6], [3, 4, 6, 7, 8, 5])


def test_rows_without_an_id_are_no_anchors() -> None:
    assert not _joins([1, 2, -7], [-7, 3, 4])


def test_a_bulk_deletion_behind_many_anchors_is_borne() -> None:
    kept = list(range(1, 20))
    assert _joins([*kept, *range(20, 100)], [*kept, *range(100, 180)])


def test_the_order_that_joined_windows_show_leaves_out_what_arrived_among_their_anchors() -> None:
    windows = [Window.of(Read(1, 5), one, 0) for one in ([1, 2, 3, 4, 5], [3, 9, 4, 5, 6, -7, 7], [6, 7, 8])]
    assert list(order_of(windows)) == [1, 2, 3, 4, 5, 6, 7, 8]
