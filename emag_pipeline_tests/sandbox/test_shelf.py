"""The shelf computes its places; a plain list is what it must agree with."""

import random

import pytest

from emag_pipeline.sandbox.catalogue.numbering import Numbering, id_of_part_number_key, part_number_key
from emag_pipeline.sandbox.catalogue.shelf import Shelf


class Model:
    """The same shelf as two plain lists."""

    def __init__(self, ids: list[int]) -> None:
        self.front: list[int] = []
        self.sorted = ids

    def ids(self) -> list[int]:
        return self.front + self.sorted

    def put(self, offer_id: int, place: str) -> None:
        if offer_id in self.ids():
            return
        self.front, self.sorted = (
            ([offer_id, *self.front], self.sorted)
            if place == "front"
            else (self.front, sorted([*self.sorted, offer_id]))
        )

    def take(self, offer_id: int) -> None:
        self.front = [one for one in self.front if one != offer_id]
        self.sorted = [one for one in self.sorted if one != offer_id]


def step(shelf: Shelf, model: Model, numbering: Numbering, draw: random.Random) -> None:
    """One random arrival, offer numbered by hand, or departure."""
    if draw.random() < 0.4 and model.ids():
        offer_id = draw.choice(model.ids())
        shelf.take(offer_id)
        model.take(offer_id)
        return
    by_hand = draw.choice([numbering.id_at(draw.randrange(50)), draw.randrange(1, 100_500)])
    offer_id = draw.choice([shelf.next_arrival(), by_hand])
    place = draw.choice(["end", "front"])
    shelf.put(offer_id, "front" if place == "front" else "end")
    model.put(offer_id, place)


@pytest.mark.parametrize("seed", range(40))
def test_a_shelf_shows_what_a_plain_list_would(seed: int) -> None:
    draw, numbering = random.Random(seed), Numbering(seed, "main")
    size = draw.randrange(30)
    shelf, model = Shelf(numbering, size), Model([numbering.id_at(place) for place in range(size)])
    for _ in range(60):
        assert shelf.next_arrival() not in shelf
        step(shelf, model, numbering, draw)
        start = draw.randrange(len(model.ids()) + 2)
        assert len(shelf) == len(model.ids())
        assert shelf.ids() == model.ids()
        assert shelf.ids(start, start + 7) == model.ids()[start : start + 7]
        assert shelf.ids(start, start + 7, "id_desc") == model.ids()[::-1][start : start + 7]
        assert sorted(shelf.ids(order="shuffled")) == sorted(model.ids())


def test_positions_and_ids_lead_to_each_other() -> None:
    numbering = Numbering(3, "main")
    ids = [numbering.id_at(position) for position in range(5000)]
    assert [numbering.position_of(offer_id) for offer_id in ids] == list(range(5000))
    assert ids == sorted(set(ids))


def test_a_product_key_leads_back_to_its_offer() -> None:
    ids = [1, 100_003, 2**31, 4_294_967_295]
    assert [id_of_part_number_key(part_number_key(offer_id)) for offer_id in ids] == ids
