"""The different offers that a scan has seen: about eleven bytes each, however many there are."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

#: A set is quicker, and 90 bytes an offer; so many are not worth the difference.
_FEW = 50_000
_BUCKETS = 4096


class Seen:
    """A set of ids above 0, for adding and asking."""

    def __init__(self) -> None:
        #: the numbers below 0 of rows without an id
        self.nameless: set[int] = set()
        self._few: set[int] = set()
        self._many: list[array[int]] = []
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __contains__(self, one: int) -> bool:
        if not self._many:
            return one in self._few
        bucket = self._many[one % _BUCKETS]
        place = bisect_left(bucket, one)
        return place < len(bucket) and bucket[place] == one

    def add(self, ids: Iterable[int]) -> int:
        """Add them. Returns how many of those above 0 are new."""
        ids = list(ids)
        self.nameless.update(one for one in ids if one < 0)
        before = self._size
        if not self._many:
            self._few.update(one for one in ids if one > 0)
            self._size = len(self._few)
            if self._size > _FEW:
                self._many = [array("q") for _ in range(_BUCKETS)]
                few, self._few, self._size = self._few, set(), 0
                self.add(few)
            return self._size - before
        for one in ids:
            if one > 0:
                bucket = self._many[one % _BUCKETS]
                place = bisect_left(bucket, one)
                if place == len(bucket) or bucket[place] != one:
                    bucket.insert(place, one)
                    self._size += 1
        return self._size - before

    def missing(self, known: Iterable[int]) -> list[int]:
        """Those of the known ids that were not seen."""
        return [one for one in known if one not in self]
