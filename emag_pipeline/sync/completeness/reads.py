"""Reads of a listing, what they showed, and which read comes next by arithmetic alone.

Page p of size s shows positions (p-1)·s to p·s-1, so a read can begin only at multiples of its size. Choosing page and
size together, a read can begin a few positions before any place: the offers there are shown again and are the anchors
that join two windows.
"""

from array import array
from collections.abc import Container, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

#: A position that no page shows, in a window that was put together around it.
UNREADABLE = 0
#: Smaller pages overlap too seldom for a chain: lcm(1 … 7) is 420.
SMALLEST_OF_CHAIN = 8


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """One call: a page, from 1 on, of so many rows."""

    page: int
    size: int

    @property
    def first(self) -> int:
        """The first position that it asks for, from 0 on."""
        return (self.page - 1) * self.size

    @property
    def stop(self) -> int:
        """The position behind the last one that it asks for."""
        return self.page * self.size


@dataclass(slots=True, eq=False)
class Window:
    """A contiguous run of the listing at one moment.

    `ids` are the rows in their order: the offer's id, a negative number made from the payload for a row without one,
    `UNREADABLE` for a position that no page shows. `number` counts the windows of a scan as their answers came.
    """

    read: Read
    first: int
    ids: "array[int]"
    number: int
    is_short: bool = False
    #: 1 = of the chain, 2 and more = of a reading of plain pages, 0 = read once more, or behind the end
    reading: int = 1
    #: rows by which it prolonged the run that it joined
    gain: int = field(default=0)

    @classmethod
    def of(cls, read: Read, ids: Iterable[int], number: int, reading: int = 1) -> "Window":
        """What a read showed. Eight bytes per row: a million offers are kept in 10 MB."""
        kept = array("q", ids)
        return cls(read, read.first, kept, number, len(kept) < read.size, reading)

    @property
    def stop(self) -> int:
        """The position behind the last row that it showed."""
        return self.first + len(self.ids)


@dataclass(frozen=True, slots=True)
class Avoided:
    """Reads that were tried in vain, and page numbers at which the marketplace fails whatever their size."""

    reads: Set[Read]
    pages: Set[int]

    def __contains__(self, read: object) -> bool:
        return read in self.reads or (isinstance(read, Read) and read.page in self.pages)


def anchors_for(size: int) -> int:
    """How many offers two windows should share. One is enough to join; three bear that two of them depart."""
    return 3 if size >= 40 else 1


def reaching(place: int, size: int, without: Container[Read] = ()) -> Read:
    """The read of at most `size` rows that shows the position `place` and reaches furthest behind it."""
    best = Read(place + 1, 1)
    for one in range(size, 0, -1):
        if place + one <= best.stop:
            break  # no smaller page reaches further
        read = Read(place // one + 1, one)
        if read.stop > best.stop and read not in without:
            best = read
    return best


def reaching_back(place: int, size: int, without: Container[Read] = ()) -> Read:
    """The read of at most `size` rows that shows the position `place` and begins furthest before it."""
    best = Read(place + 1, 1)
    for one in range(size, 0, -1):
        if place + 1 - one >= best.first:
            break
        read = Read(place // one + 1, one)
        if read.first < best.first and read not in without:
            best = read
    return best


def behind(place: int, size: int, *, not_page: int = 0) -> Read:
    """The largest read of at most `size` rows that begins exactly at the position `place`; of another page number."""
    found = (Read(place // one + 1, one) for one in range(size, 0, -1) if place % one == 0)
    return next((one for one in found if one.page != not_page), Read(place + 1, 1))


def after(end: int, size: int, without: Container[Read] = ()) -> Read | None:
    """The next window of a chain that is read up to the position `end`; None where no size bridges that border.

    With sizes up to S every multiple of lcm(1 … S) is a border of each of them: 2,520 for 10, 60 for 5.
    """
    for anchors in range(min(anchors_for(size), end), -1 if end == 0 else 0, -1):
        read = reaching(end - anchors, size, without)
        if read.stop > end:
            return read
    return None


def before(first: int, size: int, without: Container[Read] = ()) -> Read:
    """The window to read when what stands before the position `first` is not known; `first` is above 0."""
    for anchors in range(anchors_for(size), -1, -1):
        read = reaching_back(first + anchors - 1, size, without)
        if read.first < first and read.stop >= first:
            return read
    return Read(first, 1)


def standing_still(offers: int, size: int) -> Iterator[Read]:
    """The windows of a listing that stands still, up to the first that reaches behind its last offer.

    Where a border cannot be bridged, it goes on at the border itself.
    """
    end = 0
    while end <= offers:
        read = after(end, size) or behind(end, size)
        yield read
        end = read.stop


def parts(first: int, stop: int, size: int, sizes: Sequence[int] = ()) -> list[Read]:
    """The positions in reads of at most `size` rows that do not overlap, as large as their places allow.

    `sizes`: the page sizes that may be used, largest first and 1 among them; all where there are none.
    """
    found = []
    while first < stop:
        most = min(size, stop - first)
        read = next(
            Read(first // one + 1, one) for one in sizes or range(most, 0, -1) if one <= most and first % one == 0
        )
        found.append(read)
        first = read.stop
    return found
