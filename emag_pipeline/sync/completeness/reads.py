"""Reads of a listing, the windows they show, and the arithmetic that chooses the next read.

Page p of size s shows positions (p-1)·s to p·s-1, so a read can only begin at a multiple of its size. By choosing page
and size together, a read can begin a few positions before any given position: the offers there are shown again and are
the anchors that join two windows.
"""

from array import array
from collections.abc import Container, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

#: Stands for an unreadable position in the ids of a window.
UNREADABLE = 0
#: Smaller pages have too many common borders for a chain: lcm(1 … 7) is 420.
SMALLEST_OF_CHAIN = 8


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """One call: the page number, from 1, and the page size."""

    page: int
    size: int

    @property
    def first(self) -> int:
        """Its first position, from 0."""
        return (self.page - 1) * self.size

    @property
    def stop(self) -> int:
        """The position after its last one."""
        return self.page * self.size


@dataclass(slots=True, eq=False)
class Window:
    """A contiguous part of the listing at one time.

    `ids` are the rows in order: the offer's id, a negative number derived from the payload for a row without one,
    `UNREADABLE` for an unreadable position. `number` counts the windows of a scan in the order of their responses.
    """

    read: Read
    first: int
    ids: "array[int]"
    number: int
    is_short: bool = False
    #: 1 = the chain, 2 and more = a reading of plain pages, 0 = a repeated read or one behind the end
    reading: int = 1
    #: number of rows by which it extended the run that it joined
    gain: int = field(default=0)

    @classmethod
    def of(cls, read: Read, ids: Iterable[int], number: int, reading: int = 1) -> "Window":
        """The window of a read. It takes eight bytes per row, so about 10 MB for a million offers."""
        kept = array("q", ids)
        return cls(read, read.first, kept, number, len(kept) < read.size, reading)

    @property
    def stop(self) -> int:
        """The position after its last row."""
        return self.first + len(self.ids)


@dataclass(frozen=True, slots=True)
class Avoided:
    """Reads that were tried without success, and page numbers that fail at every size."""

    reads: Set[Read]
    pages: Set[int]

    def __contains__(self, read: object) -> bool:
        return read in self.reads or (isinstance(read, Read) and read.page in self.pages)


def anchors_for(size: int) -> int:
    """The number of offers that two windows should share. One is enough to join; with three, two may depart."""
    return 3 if size >= 40 else 1


def reaching(place: int, size: int, without: Container[Read] = ()) -> Read:
    """The read of at most `size` rows that shows the position `place` and extends furthest beyond it."""
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
    """The largest read of at most `size` rows that begins exactly at `place`, with a page other than `not_page`."""
    found = (Read(place // one + 1, one) for one in range(size, 0, -1) if place % one == 0)
    return next((one for one in found if one.page != not_page), Read(place + 1, 1))


def after(end: int, size: int, without: Container[Read] = ()) -> Read | None:
    """The next window of a chain that is read up to the position `end`; None if no page size crosses that border.

    Every multiple of lcm(1 … S) is a border of all page sizes up to S: 2,520 for 10, 60 for 5.
    """
    for anchors in range(min(anchors_for(size), end), -1 if end == 0 else 0, -1):
        read = reaching(end - anchors, size, without)
        if read.stop > end:
            return read
    return None


def before(first: int, size: int, without: Container[Read] = ()) -> Read:
    """The window that shows what is before the position `first`, which is above 0."""
    for anchors in range(anchors_for(size), -1, -1):
        read = reaching_back(first + anchors - 1, size, without)
        if read.first < first and read.stop >= first:
            return read
    return Read(first, 1)


def standing_still(offers: int, size: int) -> Iterator[Read]:
    """The windows of a listing that does not move, up to the first that extends beyond its last offer.

    If no page crosses a border, the next window begins at the border.
    """
    end = 0
    while end <= offers:
        read = after(end, size) or behind(end, size)
        yield read
        end = read.stop


def parts(first: int, stop: int, size: int, sizes: Sequence[int] = ()) -> list[Read]:
    """Split the positions into reads of at most `size` rows that do not overlap, each as large as possible.

    `sizes`: the allowed page sizes, largest first and including 1; empty means all.
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
