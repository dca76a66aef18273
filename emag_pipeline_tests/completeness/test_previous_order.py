"""Where offers stood in the previous scan, of few as of many."""

import random
import tracemalloc
from array import array

import pytest

from emag_pipeline.sync.completeness import PreviousOrder


@pytest.mark.parametrize("offers", [0, 1, 50_000, 50_001, 100_000, 123_456])
def test_an_offer_has_the_place_at_which_it_stood_unless_it_stood_at_two(offers: int) -> None:
    chance = random.Random(offers)
    ids = array("q", chance.sample(range(1, 2**32), offers))
    doubled = set()
    for at in range(7, offers, max(1, offers // 50)):  # near by, and far away: in other pieces
        doubled.add(ids[at])
        ids[chance.randrange(at)] = ids[at]
    order = PreviousOrder(ids)
    for place in range(0, offers, max(1, offers // 5_000)):
        assert order.place(ids[place]) == (None if ids[place] in doubled else place)
    assert all(order.place(one) is None for one in doubled)
    assert order.place(2**33) is None


def test_many_offers_are_never_all_held_as_numbers_of_python() -> None:
    ids = array("q", ((number * 2654435761) % 2**32 for number in range(1, 400_001)))
    tracemalloc.start()
    PreviousOrder(ids)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 400_000 * 40  # sixteen bytes an offer stay; sorted at once they took 84
