"""The decisions of a scan: from what was seen so far it derives the next call or the verdict. No I/O, no clock.

The executor calls `take` for the next action, as often as it wants concurrent calls, and reports the results by
`answered`, `failed`, `counted`, `confirmed`. A resumed scan gets its staged windows by `restore`, in the order of their
responses.

The course: count; a chain of windows from head to tail (`chain`); if the listing may reorder itself, the head again;
the missing offers by id; count. If there is a remainder, the head and the tail are read again and, if that does not
explain it, plain pages, which are united with the first reading.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from emag_pipeline.sync.completeness.chain import Chain
from emag_pipeline.sync.completeness.order import Doubles, OrderEvidence
from emag_pipeline.sync.completeness.plain import Readings
from emag_pipeline.sync.completeness.reads import SMALLEST_OF_CHAIN, Read, Window
from emag_pipeline.sync.completeness.settling import MOST_HEADS, Closing, Next, ScanBalance
from emag_pipeline.sync.completeness.situation import Ask, ChainState, Fault, Phase, Refused, Situation, Verdict

# The distinct offers that a scan has seen: about eleven bytes each.

#: Up to this many offers a set is used: it is faster, but takes 90 bytes per offer.
_FEW = 50_000
_BUCKETS = 4096


class Seen:
    """A compact set of ids above 0."""

    def __init__(self) -> None:
        #: the negative numbers of rows without an id
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
        """Add ids. Returns how many of those above 0 are new."""
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


#: Number of offers allowed beyond the bound, since a catalogue may grow while it is read.
_GROWTH = 2_000


class ScanDecisions:
    """The decisions of one scan of one account."""

    def __init__(self, situation: Situation) -> None:
        self.verdict: Verdict | None = None
        self.seen = Seen()
        self.order = OrderEvidence(situation.previous, is_known_to_reorder=situation.reorders)
        self.doubles = Doubles()
        self.chain: Chain | None = None
        self.readings = Readings()
        self.closing = Closing()
        self.count_before = self.count_after = -1
        self.remainders: list[int] = []
        self._situation = situation
        self._most = situation.most_offers + _GROWTH
        self._phase = Phase.BEGIN
        self._asked: Ask | None = None
        self._under_way: Counter[Read] = Counter()
        self._windows = 0
        self._gone = self._unreadable_by_id = self._looks = self._emptied = 0

    def take(self) -> Read | Ask | None:
        """The next action; None while responses are outstanding, and once there is a verdict."""
        if self.verdict is not None or self._asked is not None:
            return None
        action = self._next()
        if isinstance(action, Ask):
            self._asked = action
        elif action is not None:
            self._under_way[action] += 1
        elif self.verdict is None and not self._under_way:  # it would wait for ever
            self.verdict = Refused(Fault.NO_WAY, self._phase.name.lower())
        return action

    def _next(self) -> Read | Ask | None:
        if self._phase is Phase.CHAIN and self.chain is not None:
            read = self.chain.take()
            if read is None and self.chain.state is not ChainState.READING:
                self._end_chain(self.chain)
                return self._next() if self.verdict is None else None
            return read
        if self._phase in (Phase.HEAD, Phase.TAIL):
            end = self.chain.end if self.chain is not None else 0
            return self.closing.take(self._size, end, tail=self._phase is Phase.TAIL)
        if self._phase is Phase.DOUBLES:
            return self.doubles.take()
        if self._phase is Phase.PLAIN and self.readings.now is not None:
            read = self.readings.now.take()
            if read is None and self.readings.now.is_done:
                self._end_plain()
                return self._next()
            return read
        return Ask.CONFIRM if self._phase is Phase.CONFIRM else Ask.COUNT

    @property
    def _size(self) -> int:
        return self.chain.size if self.chain is not None else self._situation.page_size

    def counted(self, offers: int) -> None:
        """The marketplace counts `offers` offers."""
        self._asked = None
        self.count_after = offers
        if self._phase is Phase.BEGIN:
            self.count_before = offers
            self._begin(offers)
        else:
            self._settle()

    def answered(self, read: Read, ids: Iterable[int]) -> Window:
        """The read showed these rows, in order. Returns the window, to be staged."""
        self._came(read)
        window = Window.of(read, ids, self._windows, self._reading_of(read))
        ends_known = not window.ids or window.ids[-1] in self.seen
        new = self._note(window)
        if self.doubles.has(read):
            self._note_double(window.ids)
        elif self.closing.has(read):
            if self.closing.answered(window, ends_known=ends_known):
                self._after_closing()
        elif self.readings.now is not None:
            if self.readings.has(read):  # else it was requested by a chain that has ended
                self.readings.now.answered(read, window, new)
        elif self.chain is not None:
            self.chain.answered(read, window, new)
        return window

    def failed(self, read: Read, *, is_slow: bool = False) -> None:
        """The read failed, although the marketplace responds to others."""
        self._came(read)
        if self.doubles.has(read):
            self._note_double(())
        elif self.closing.has(read):
            if self.closing.failed():
                self._after_closing()
        elif self.readings.now is not None:
            if self.readings.has(read):
                self.readings.now.failed(read)
        elif self.chain is not None:
            self.chain.failed(read, is_slow=is_slow)

    def disobeyed(self, read: Read, answers: int = 1) -> None:
        """Responses were too long: twice in a chain means that unusual sizes are ignored; otherwise the read failed."""
        if self._phase is Phase.CHAIN and self.chain is not None and self.chain.disobeyed(answers):
            self._came(read)
        else:
            self.failed(read)

    def confirmed(self, found: Iterable[int], gone: int, unreadable: int = 0) -> None:
        """All missing offers were read by id: `found` were found, `gone` do not exist, `unreadable` reads failed."""
        self._asked = None
        self._gone = gone
        self._unreadable_by_id = unreadable
        self.seen.add(found)
        self._phase = Phase.END

    def restore(self, count_before: int, windows: Iterable[tuple[Read, Sequence[int], int]]) -> None:
        """Resume a scan with its first count and its staged windows, each with its `Window.reading`.

        Windows of the chain and of plain readings are restored as such; of the others only the offers count as seen.
        """
        self.counted(count_before)
        for read, ids, reading in windows:
            if reading == 1 and self.chain is not None:
                self.answered(read, ids)
                if ids:
                    self.chain.resume_at(read, len(ids))
                continue
            window = Window.of(read, ids, self._windows, reading)
            new = self._note(window)
            if reading > 1:
                self.readings.keep(window, new)
        self.readings.resume()
        if self.chain is not None and self.readings.were_begun:
            self.chain.hurry()

    def is_part(self, read: Read) -> bool:
        """Whether the read is a part of a larger page that failed: if it fails too, smaller ones are tried."""
        return self.chain is not None and self.chain.stretches.has(read)

    def is_aside(self, read: Read) -> bool:
        """Whether it repeats a part already read, or is behind the end."""
        return self._reading_of(read) == 0

    @property
    def reached(self) -> int:
        """The number of positions of the listing that are covered so far."""
        return max(self.chain.end if self.chain is not None else 0, self.readings.shown_to)

    def _reading_of(self, read: Read) -> int:
        if self.closing.has(read) or self.doubles.has(read):
            return 0
        if self.readings.now is not None:
            return self.readings.label if self.readings.has(read) else 0
        return 0 if self.chain is None or self.chain.is_aside(read) else 1

    def _note(self, window: Window) -> int:
        self._windows += 1
        self.order.note_strays(window.ids, [one in self.seen for one in window.ids])
        self.order.note(window.ids)
        self.doubles.note(window.ids)
        return self.seen.add(window.ids)

    def _came(self, read: Read) -> None:
        self._under_way[read] -= 1
        self._under_way = +self._under_way

    def _begin(self, offers: int) -> None:
        if self._situation.page_size < SMALLEST_OF_CHAIN or self._situation.ignores_odd_sizes:
            self._open_plain()
            return
        self.readings.number = 1
        self._phase = Phase.CHAIN
        self.chain = Chain(offers, self._situation.page_size, self._most)

    def _end_chain(self, chain: Chain) -> None:
        if chain.state is ChainState.FAULTY and chain.fault is not None:
            self.verdict = Refused(chain.fault, f"position {chain.end:,}")
            return
        if chain.state is ChainState.TORN:
            self._open_plain()
        else:
            self._after_chain()

    def _note_double(self, ids: Sequence[int]) -> None:
        self.doubles.answered(ids)
        if self.doubles.are_settled:
            self._after_chain()

    def _after_chain(self) -> None:
        if self.readings.were_begun:
            self._open_plain()
            return
        windows = [one for run in self.chain.runs.all for one in run.windows] if self.chain is not None else []
        if self.doubles.suspect(self.order.suspects, windows, self._size):
            self._phase = Phase.DOUBLES
            return
        self.order.excuse(self.doubles.found)
        is_settled = self.order.is_stable or not len(self.seen)
        self._phase = Phase.CONFIRM if is_settled else Phase.HEAD

    def _after_closing(self) -> None:
        if self.remainders:
            self._settle()
        else:
            self._phase = Phase.CONFIRM

    def _open_plain(self) -> None:
        self._phase = Phase.PLAIN
        remainder = self.remainders[-1] if self.remainders else None
        offers = max(self.count_before, self.count_after)
        self.readings.open(offers, self._size, self._most, remainder=remainder, seen=len(self.seen))

    def _end_plain(self) -> None:
        if self.readings.end(self._size, self.chain):
            self._open_plain()
        else:
            self._phase = Phase.CONFIRM

    @property
    def accounted(self) -> int:
        """Rows accounted for: offers seen or found by id, second rows of offers, rows without id, unreadable rows."""
        return len(self.seen) + len(self.doubles.found) + len(self.seen.nameless) + self.unreadable

    @property
    def unreadable(self) -> int:
        """The number of unreadable rows, as used by the scan, its proof and the audit.

        The smallest number of any reading, since a row counted twice would hide an unseen offer; but at least the
        number of offers whose reads by id failed as well, since these exist.
        """
        by_chain = self.chain.stretches.unreadable if self.chain is not None else 0
        on_pages = min((one.unreadable for one in self.readings.done), default=by_chain)
        return max(on_pages, self._unreadable_by_id)

    def _settle(self) -> None:
        """Everything requested was read: does it explain the count?"""
        self.remainders.append(self.count_after - self.accounted)
        standing = ScanBalance(
            chain=self.chain,
            order=self.order,
            readings=self.readings,
            closing=self.closing,
            counted=self.count_after,
            seen=len(self.seen),
            gone=self._gone,
            remainders=self.remainders,
            looks=self._looks,
        )
        what = standing.settle()
        if isinstance(what, Next):
            self._go_on(what)
        else:
            self.verdict = what

    def _go_on(self, what: Next) -> None:
        if what is Next.FIRST_PAGE:
            self._read_empty_again()
        elif what is Next.ALL_PAGES:
            self._open_plain()
        elif what is Next.COMPARE_TAIL or what is Next.COMPARE_COUNT:
            self._looks += 1
            self._phase = Phase.TAIL if what is Next.COMPARE_TAIL else Phase.END
        else:
            self._phase = Phase.HEAD if what is Next.HEAD else Phase.TAIL

    def _read_empty_again(self) -> None:
        """The first page was empty, but the count is not 0: the first offers may just have arrived."""
        if self._emptied >= MOST_HEADS:
            self.verdict = Refused(Fault.EMPTY_LISTING, "the first page")
            return
        self._emptied += 1
        self._phase = Phase.CHAIN
        self.chain = Chain(self.count_after, self._size, self._most)
