"""The offers that a catalogue lists, in order: an original range of ids, and the differences since.

The range is computed and only differences are stored, so a million unchanged offers take no memory.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from heapq import merge
from itertools import islice
from math import gcd
from typing import Literal

from emag_pipeline.sandbox.catalogue.chance import number
from emag_pipeline.sandbox.catalogue.numbering import Numbering

Order = Literal["id", "id_desc", "shuffled"]
Place = Literal["end", "front"]


class Shelf:
    """The listed ids, by position. Offers added in front stay in front, the latest first."""

    def __init__(self, numbering: Numbering, size: int) -> None:
        self._numbering = numbering
        self._founded = size  # grows with new offers, which take the next id of the range
        self._absent: list[int] = []  # positions of the range that are not listed there, ascending
        self._extras: list[int] = []  # listed ids outside the range, ascending
        self._front: list[int] = []

    def __len__(self) -> int:
        return len(self._front) + self._founded - len(self._absent) + len(self._extras)

    def __contains__(self, offer_id: int) -> bool:
        if offer_id in self._front or _holds(self._extras, offer_id):
            return True
        position = self._position(offer_id)
        return position is not None and not _holds(self._absent, position)

    def ids(self, start: int = 0, stop: int | None = None, order: Order = "id") -> list[int]:
        """The ids at the positions from start up to stop, which may be past the end."""
        size = len(self)
        start, stop = min(start, size), size if stop is None else min(stop, size)
        if order == "shuffled":
            return [self._at(place) for place in _shuffled(size, start, stop)]
        if order == "id_desc":
            return self._run(size - stop, size - start)[::-1]
        return self._run(start, stop)

    def next_arrival(self) -> int:
        """The id of the next offer that is added without an explicit id."""
        while (candidate := self._numbering.id_at(self._founded)) in self:
            self._absorb(candidate)
        return candidate

    def put(self, offer_id: int, place: Place = "end") -> None:
        """List an offer: by its id (`end`) or before all others (`front`)."""
        if offer_id in self:
            return
        position = self._numbering.position_of(offer_id)
        if position == self._founded:
            self._founded += 1
            insort(self._absent, position)
        if place == "front":
            self._front.insert(0, offer_id)
        elif (position := self._position(offer_id)) is not None:
            del self._absent[bisect_left(self._absent, position)]
        else:
            insort(self._extras, offer_id)

    def double(self, offer_id: int) -> None:
        """List an offer a second time, before all others."""
        if offer_id in self and offer_id not in self._front:
            self._front.insert(0, offer_id)

    def take(self, offer_id: int) -> None:
        """Remove the offer from the listing, at every position."""
        if offer_id in self._front:
            self._front.remove(offer_id)
        if _holds(self._extras, offer_id):
            del self._extras[bisect_left(self._extras, offer_id)]
        elif offer_id in self and (position := self._position(offer_id)) is not None:
            insort(self._absent, position)

    def _absorb(self, offer_id: int) -> None:
        """Extend the range over a listed id that was added explicitly; its position stays the same."""
        if _holds(self._extras, offer_id):
            del self._extras[bisect_left(self._extras, offer_id)]
        else:
            self._absent.append(self._founded)
        self._founded += 1

    def _position(self, offer_id: int) -> int | None:
        position = self._numbering.position_of(offer_id)
        return position if position is not None and position < self._founded else None

    def _run(self, start: int, stop: int) -> list[int]:
        front = self._front[start:stop]
        wanted = max(0, stop - start - len(front))
        return front + self._behind_front(max(0, start - len(self._front)), wanted)

    def _behind_front(self, start: int, wanted: int) -> list[int]:
        if wanted <= 0:
            return []
        ranks = [self._rank(extra) + place for place, extra in enumerate(self._extras)]
        first = bisect_left(ranks, start)
        merged = merge(self._extras[first:], self._founded_ids(start - first))
        return list(islice(merged, wanted))

    def _rank(self, offer_id: int) -> int:
        """The number of smaller listed ids of the range."""
        low, high = 0, self._founded
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._numbering.id_at(middle) < offer_id else (low, middle)
        return low - bisect_left(self._absent, low)

    def _founded_ids(self, start: int) -> Iterator[int]:
        """The listed ids of the range, from the given rank on."""
        skipped = bisect_right(range(len(self._absent)), start, key=lambda place: self._absent[place] - place)
        for position in range(start + skipped, self._founded):
            if skipped < len(self._absent) and self._absent[skipped] == position:
                skipped += 1
            else:
                yield self._numbering.id_at(position)

    def _at(self, place: int) -> int:
        return self._run(place, place + 1)[0]


def _holds(ascending: list[int], value: int) -> bool:
    place = bisect_left(ascending, value)
    return place < len(ascending) and ascending[place] == value


def _shuffled(size: int, start: int, stop: int) -> list[int]:
    """Positions in a computed order that looks random: multiplication by a number coprime to the size."""
    factor = number("shuffle", size) % max(1, size)
    while gcd(factor, size) != 1:
        factor += 1
    return [(place * factor + size // 3) % size for place in range(start, stop)]
