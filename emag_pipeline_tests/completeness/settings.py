"""What is played: groups of scans that have something in common, each scan drawn at random from a seed."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emag_pipeline_tests.completeness.listing import REORDERING, STABLE, STILL, Listing, Movement, Order
from emag_pipeline_tests.completeness.market import Market
from emag_pipeline_tests.completeness.play import USUAL, Network, Played, play

SIZES = (0, 1, 5, 99, 100, 101, 150, 199, 300, 300, 700, 700, 1200, 1200, 2500)
SMALL_PAGES = (0, 1, 19, 20, 21, 60, 99, 150, 300)
#: A published account whose offers have changed a little since.
_CHANGED = (0, 3, 5)
_BURST = 500


@dataclass
class Setting:
    """One scan to be played."""

    order: Order
    offers: int
    movement: Movement = STILL
    network: Network = USUAL
    page_size: int = 100
    is_first: bool = False
    departed: int = 0
    arrived: int = 0
    updated: int = 0
    faults: Mapping[str, Any] = field(default_factory=dict)
    poisoned: int = 0
    doubled: int = 0
    #: and so many more since the last publish
    newly_doubled: int = 0
    #: the account is known not to obey them
    ignores_odd_sizes: bool = False
    #: the offers that cannot be read stand on the last page of the setting's size
    poisons_last_page: bool = False

    def play(self, chance: random.Random, **more: Any) -> Played:
        """Scan such a listing."""
        listing = Listing.of(self.order, self.offers, chance)
        listing.double(self.doubled)
        known: Sequence[int] | None = None
        if not self.is_first:
            known = list(listing.ids)
            listing.depart(self.departed)
            listing.arrive(self.arrived)
            for _ in range(self.updated):
                listing.update()
        listing.double(self.newly_doubled)
        last = (len(listing.ids) - 1) // self.page_size * self.page_size if self.poisons_last_page else 0
        poison = frozenset(chance.sample(listing.ids[last:], min(self.poisoned, len(listing.ids) - last)))
        market = Market(listing, poison=poison, **self.faults)
        return play(
            listing,
            chance=chance,
            movement=self.movement,
            network=self.network,
            market=market,
            known=known,
            page_size=self.page_size,
            ignores_odd_sizes=self.ignores_odd_sizes,
            **more,
        )


Draw = Callable[[random.Random], Setting]


@dataclass(frozen=True)
class Group:
    """Scans with something in common. `share` of all that are played; `most`: never more than these."""

    section: str
    name: str
    draw: Draw
    share: float
    most: int | None = None
    #: what must be 0: missed, unmarked, kept, refused, wrong, published
    expects: tuple[str, ...] = ("missed", "kept", "refused")


def networks(chance: random.Random) -> Network:
    """Answers in any order, some of them lost, late or repeated, and in every fifth scan a killed process."""
    return Network(
        under_way=chance.choice((1, 3, 4, 4, 8, 32)),
        lost=chance.choice((0.0, 0.0, 0.05)),
        repeated=chance.choice((0.0, 0.0, 0.05)),
        killed=0.2,
    )


def _stable(movement: Movement, sizes: Sequence[int] = SIZES, page_size: int = 100, **more: Any) -> Draw:
    def draw(chance: random.Random) -> Setting:
        return Setting(
            order=chance.choice(STABLE),
            offers=chance.choice(sizes),
            movement=movement,
            network=networks(chance),
            page_size=page_size,
            is_first=chance.random() < 0.4,
            departed=chance.choice(_CHANGED),
            arrived=chance.choice((0, 3, 30)),
            **more,
        )

    return draw


def _reordering(order: Order, updates: float, *, is_first: bool) -> Draw:
    def draw(chance: random.Random) -> Setting:
        return Setting(
            order=order,
            offers=chance.choice((1200, 2500)),
            movement=Movement(1 / 15, 1 / 15, updates),
            network=Network(under_way=4, killed=0.2),
            is_first=is_first,
            departed=3,
            arrived=30,
            updated=chance.choice((0, 5, 50)),
        )

    return draw


def _faulty(faults: Callable[[random.Random], Mapping[str, Any]]) -> Draw:
    def draw(chance: random.Random) -> Setting:
        return Setting(
            order=chance.choice(STABLE),
            offers=chance.choice((320, 320, 1200)),
            movement=chance.choice((STILL, Movement(1 / 15, 1 / 15))),
            network=Network(under_way=chance.choice((1, 4)), killed=0.2),
            is_first=chance.random() < 0.5,
            departed=3,
            arrived=3,
            faults=faults(chance),
        )

    return draw


def _some_pages(chance: random.Random) -> frozenset[int]:
    return frozenset(chance.sample(range(2, 13), chance.choice((1, 1, 2, 3))))


_MOVEMENTS = {
    "nothing moves": STILL,
    "1 arrives and departs in 15 reads": Movement(1 / 15, 1 / 15),
    "1 arrives and departs in 2 reads": Movement(0.5, 0.5),
    "2 arrive and depart a read": Movement(2, 2),
    "2 arrive a read": Movement(2, 0),
    "2 depart a read": Movement(0, 2),
    "a departure and an arrival at one moment": Movement(pair=True),
    "500 arrive or depart at one moment": Movement(1 / 15, 1 / 15, burst=_BURST),
}
_FAULTS: dict[str, Callable[[random.Random], Mapping[str, Any]]] = {
    "the count is 7 too high": lambda _: {"count_is_off": 7},
    "the count is 7 or 220 too low": lambda chance: {"count_is_off": chance.choice((-7, -220))},
    "the count says 0": lambda _: {"count_says": 0},
    "some page numbers are empty": lambda chance: {"empty_page": True, "pages": _some_pages(chance)},
    "some page numbers are short": lambda chance: {"short_page": 30, "pages": _some_pages(chance)},
    "some page numbers show page 2": lambda chance: {"repeats": 2, "pages": _some_pages(chance)},
    "the last page again for ever": lambda _: {"last_page_again": True},
    "page sizes other than usual not obeyed": lambda _: {"odd_sizes_shift": True},
    "page sizes ignored": lambda _: {"ignores_size": True},
}
_LIES: dict[str, Callable[[random.Random], Mapping[str, Any]]] = {
    "currentPage is ignored": lambda _: {"ignores_page": True},
    "known pages behind the end for ever": lambda _: {"endless": True},
    "new rows behind the end for ever": lambda _: {"fresh_rows": True},
}


def _hiding(_: random.Random) -> Mapping[str, Any]:
    return {"empty_page": True, "pages": frozenset(range(2, 20_000))}


def usual() -> list[Group]:
    """Movement of every kind, and answers that are none."""
    stable = [Group("stable", name, _stable(one), 0.1) for name, one in _MOVEMENTS.items()]
    sized = [
        Group("pages", f"pages of {size}", _stable(Movement(size / 1500, size / 1500), SMALL_PAGES, size), 0.01)
        for size in (50, 20, 10, 1)
    ]
    broken = [
        Group("pages", "one or two unreadable positions", _unreadable, 0.01),
        Group("pages", "pages above 50 fail", _faulty(lambda _: {"fails_above": 50}), 0.005),
    ]
    broken.append(Group("pages", "some offers stand twice", _doubled, 0.01))
    large = [
        Group("large", "6,000 offers", _stable(Movement(1 / 15, 1 / 15), (6000,)), 0.004),
        Group("large", "30,000 offers", _stable(Movement(1 / 15, 1 / 15), (30_000,)), 0.0003),
        Group("large", "1,000,000 offers", _million, 0.00001, most=1),
    ]
    reordering = [
        Group(
            "reordering",
            f"{'last changed first' if order == 'changed_first' else 'any place'}, {updates:g} a read, "
            f"{'first' if is_first else 'later'} publish",
            _reordering(order, updates, is_first=is_first),
            0.004,
            expects=("kept", "refused"),
        )
        for order in REORDERING
        for updates in (0.02, 0.3, 2.0)
        for is_first in (True, False)
    ]
    faulty = [Group("faults", name, _faulty(one), 0.004, expects=("kept",)) for name, one in _FAULTS.items()]
    lying = [Group("lies", name, _faulty(one), 0.002, expects=("wrong",)) for name, one in _LIES.items()]
    lying.append(
        Group(
            "lies",
            "every page but the first is empty (a later publish finds all by id)",
            _faulty(_hiding),
            0.002,
            expects=("kept",),
        )
    )
    return [*stable, *large, *sized, *broken, *reordering, *faulty, *lying]


def _unreadable(chance: random.Random) -> Setting:
    return Setting(
        order=chance.choice(STABLE),
        offers=chance.choice((150, 320, 700, 1200)),
        movement=chance.choice((STILL, Movement(1 / 15, 1 / 15))),
        network=Network(under_way=chance.choice((1, 4)), lost=chance.choice((0.0, 0.05)), killed=0.2),
        is_first=chance.random() < 0.5,
        departed=3,
        poisoned=chance.choice((1, 2)),
    )


def _doubled(chance: random.Random) -> Setting:
    return Setting(
        order=chance.choice(STABLE),
        offers=chance.choice((150, 320, 700, 1200)),
        movement=chance.choice((STILL, Movement(1 / 15, 1 / 15))),
        network=networks(chance),
        is_first=chance.random() < 0.5,
        departed=3,
        doubled=chance.choice((0, 1, 3)),
        newly_doubled=chance.choice((0, 1, 3)),
    )


def _million(chance: random.Random) -> Setting:
    return Setting("created", 1_000_000, Movement(0.5, 0.0), is_first=True)
