"""A model of the marketplace's listing: offers in an order that nobody promises, arriving, departing, changing."""

import random
from bisect import insort
from dataclasses import dataclass, field
from typing import Literal

Order = Literal["created", "created_desc", "id", "random", "changed_first", "shuffled"]
#: Orders in which offers that stay keep their places among each other.
STABLE: tuple[Order, ...] = ("created", "created_desc", "id", "random")
REORDERING: tuple[Order, ...] = ("changed_first", "shuffled")
_IDS = 4_000_000_000


@dataclass
class Listing:
    """The offers' ids in the order in which pages show them."""

    order: Order
    chance: random.Random
    ids: list[int] = field(default_factory=list)
    #: since the scan began
    arrived: set[int] = field(default_factory=set)
    departed: set[int] = field(default_factory=set)
    initial: list[int] = field(default_factory=list)
    #: the first offers' ids leave this rest when they are divided by the step
    step: int = 1
    rest: int = -1

    @classmethod
    def of(cls, order: Order, offers: int, chance: random.Random) -> "Listing":
        """A listing of so many offers, with ids that say nothing about their place unless the order is by id."""
        step = _IDS // max(1, offers * 2)
        start = chance.randrange(1, 1000)
        ids = [start + place * step for place in range(offers)]
        if order == "created_desc":
            ids.reverse()
        return cls(order, chance, ids, step=step, rest=start % step)

    def begin(self) -> None:
        """A scan begins: from now on it counts who was there throughout."""
        self.initial = list(self.ids)
        self.arrived, self.departed = set(), set()

    def arrive(self, number: int = 1) -> None:
        """Let new offers in, each at the place that the order gives it."""
        for _ in range(number):
            one = self._new_id()
            self.arrived.add(one)
            self.departed.discard(one)
            if self.order == "created":
                self.ids.append(one)
            elif self.order == "id":
                insort(self.ids, one)
            elif self.order in ("random", "shuffled"):
                self.ids.insert(self.chance.randint(0, len(self.ids)), one)
            else:
                self.ids.insert(0, one)

    def double(self, number: int) -> None:
        """Let offers stand at a second place too."""
        for one in self.chance.sample(self.ids, min(number, len(self.ids))):
            self.ids.insert(self.chance.randint(0, len(self.ids)), one)

    def _new_id(self) -> int:
        """An id that none of the first offers has."""
        while (one := self.chance.randrange(1, _IDS)) % self.step == self.rest:
            pass
        return one

    def depart(self, number: int = 1, *, together: bool = False) -> None:
        """Take offers away: anywhere, or neighbours."""
        number = min(number, len(self.ids))
        if together:
            at = self.chance.randint(0, len(self.ids) - number)
            self.departed.update(self.ids[at : at + number])
            del self.ids[at : at + number]
            return
        for _ in range(number):
            self.departed.add(self.ids.pop(self.chance.randrange(len(self.ids))))

    def update(self) -> None:
        """Change an offer, which moves it where the order follows changes."""
        if self.order not in REORDERING or not self.ids:
            return
        one = self.ids.pop(self.chance.randrange(len(self.ids)))
        self.ids.insert(0 if self.order == "changed_first" else self.chance.randint(0, len(self.ids)), one)

    def throughout(self) -> list[int]:
        """The offers that have been there since `begin`."""
        return [one for one in self.initial if one not in self.departed] if self.departed else self.initial

    def were_there(self) -> set[int]:
        """Every offer that was there at some moment since `begin`."""
        return self.arrived.union(self.initial)


@dataclass(frozen=True)
class Movement:
    """What happens between two answers of the marketplace, on average; and what happens once a scan."""

    arrivals: float = 0.0
    departures: float = 0.0
    updates: float = 0.0
    #: one departure and one arrival at a single moment
    pair: bool = False
    #: so many offers arrive or depart at a single moment
    burst: int = 0

    def at_random(self, listing: Listing, chance: random.Random) -> None:
        """Let one interval pass."""
        for _ in range(_times(self.arrivals, chance)):
            listing.arrive()
        for _ in range(_times(self.departures, chance)):
            listing.depart()
        for _ in range(_times(self.updates, chance)):
            listing.update()

    def once(self, listing: Listing, chance: random.Random) -> None:
        """The event of the scan."""
        if self.pair:
            first, second = chance.sample((listing.arrive, listing.depart), 2)
            first()
            second()
        if self.burst:
            if chance.random() < 0.5:
                listing.arrive(self.burst)
            else:
                listing.depart(min(self.burst, len(listing.ids) // 2), together=chance.random() < 0.7)


STILL = Movement()


def _times(rate: float, chance: random.Random) -> int:
    whole = int(rate)
    return whole + (chance.random() < rate - whole)
