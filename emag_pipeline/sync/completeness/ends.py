"""Empty, short and repeated pages: the listing's end, a fault, or movement that looks like either.

`Suspects` collects pages that look like faults, `Tail` reads what proves the end.
"""

from array import array
from collections import Counter
from dataclasses import dataclass, replace

from emag_pipeline.sync.completeness.reads import Avoided, Read, Window, behind
from emag_pipeline.sync.completeness.runs import WindowRun
from emag_pipeline.sync.completeness.situation import Fault
from emag_pipeline.sync.completeness.stretches import smaller

# Responses that look like a fault but may be movement, and page numbers to avoid.
#
# An empty or short page with rows behind it, or a full page of rows that another page has shown, may come from a
# listing that has moved. So the scan first works around it, by other page numbers that show the same positions. Only if
# that is impossible, the same read is repeated; if the result is the same, a witness is read: the next page, which has
# rows only if the suspect's rows are missing wrongly, or the page whose rows it repeats.

#: This many pages that repeat the first one, while no other rows were shown, are not movement.
_IGNORED = 3


@dataclass(frozen=True, slots=True)
class _Suspect:
    fault: Fault
    window: Window
    witness: Read


class Suspects:
    """The suspects of one chain."""

    def __init__(self) -> None:
        self.empties: list[Window] = []
        #: the furthest position that showed a row
        self.shown_to = 0
        #: the read to repeat, or its witness
        self.accused: Read | None = None
        self._suspects: dict[Read, _Suspect] = {}
        self._judged: _Suspect | None = None
        self._shorts: dict[int, Window] = {}
        self._bad: set[Read] = set()
        self._bad_pages: Counter[int] = Counter()
        self._first = array("q")
        self._ignored = 0

    @property
    def any(self) -> bool:
        """Whether responses looked like faults, even if other reads worked around them."""
        return any(self._is_one(suspect) for suspect in self._suspects.values())

    @property
    def odd(self) -> int:
        """The number of empty pages, and of short ones that were not the end."""
        return len(self.empties) + len(self._shorts)

    def avoided(self, tried: set[Read]) -> Avoided:
        """Reads to avoid: those tried already, and those with page numbers that failed twice."""
        return Avoided(tried | self._bad, {page for page, times in self._bad_pages.items() if times > 1})

    def avoid(self, read: Read) -> None:
        """The read returned a wrong result."""
        self._bad.add(read)
        self._bad_pages[read.page] += 1

    def note_idle(self, read: Read) -> None:
        """The read showed nothing new although rows were missing: the page may repeat another one's rows."""
        self._bad_pages[read.page] += 1

    def note_empty(self, window: Window) -> None:
        """The page was empty."""
        self.empties.append(window)
        self._suspect(Fault.EMPTY_PAGE, window)
        self._bad.add(window.read)

    def note_rows(self, window: Window, new: int, runs: list[WindowRun]) -> bool:
        """The page showed rows, with `new` new offers. Returns whether page numbers are ignored."""
        self.shown_to = max(self.shown_to, window.stop)
        if window.read.first == 0:
            self._first = self._first or window.ids
            return False
        if new or window.is_short:
            return False
        rows = len(window.ids)
        if self._first and window.ids == self._first[:rows]:
            self._ignored += 1
            return self._ignored >= _IGNORED and len(runs) == 1 and len(runs[0].windows) == 1
        for one in (one for run in runs[:4] for one in run.windows[-3:]):
            is_elsewhere = one.read.page != window.read.page and one.first != window.first
            if is_elsewhere and window.ids == one.ids[:rows]:
                self._suspect(Fault.REPEATED_PAGE, window, one.read)
        return False

    def is_no_end(self, window: Window, offers: int, size: int, runs: list[WindowRun]) -> bool:
        """Whether a short page must not join the chain: rows are expected behind it, and no other page ended there.

        A second short page counts only with another page number and size, since either could be the cause.
        """
        is_near_end = window.stop + size >= offers
        if is_near_end and not any(run.left.position > window.stop for run in runs):
            return False
        other = self._shorts.setdefault(window.ids[-1], window).read
        if other.page != window.read.page and other.size != window.read.size:
            return False
        self._suspect(Fault.SHORT_PAGE, window)
        self._bad.add(window.read)
        return True

    def shorter(self, run: WindowRun) -> Window | None:
        """The first empty read newer than the run's end and in front of it: the listing has become shorter."""
        newest, end = run.right.number, run.right.position
        found = (one for one in self.empties if one.number > newest and one.first <= end)
        return min(found, key=lambda one: one.first, default=None)

    def is_gone(self, run: WindowRun) -> bool:
        """Whether the listing has become so short that it ends before the run's former place."""
        newest = run.right.number
        return sum(one.number > newest and one.first <= run.left.position for one in self.empties) > 1

    def accuse(self) -> Read | None:
        """The suspected read to repeat; None if nothing looks like a fault any more."""
        while self._suspects:
            read, suspect = self._suspects.popitem()
            if self._is_one(suspect):
                self.accused, self._judged = read, suspect
                return read
        return None

    def acquit(self) -> None:
        """The accused read failed when it was repeated."""
        self.accused = None

    def judge(self, now: Window) -> Fault | None:
        """Evaluate the repeated read or the witness. Returns the fault once both have confirmed it."""
        suspect, asked = self._judged, self.accused
        self.accused = None
        if suspect is None:
            return None
        before = suspect.window.ids
        if asked == suspect.witness:
            is_same = now.ids[: len(before)] == before
            return suspect.fault if (is_same if suspect.fault is Fault.REPEATED_PAGE else now.ids) else None
        if len(now.ids) == len(before) and (suspect.fault is Fault.SHORT_PAGE or now.ids == before):
            self.accused, self._judged = suspect.witness, replace(suspect, window=now)
        return None

    def _suspect(self, fault: Fault, window: Window, witness: Read | None = None) -> None:
        self._bad_pages[window.read.page] += 1
        next_page = Read(window.read.page + 1, window.read.size)
        self._suspects[window.read] = _Suspect(fault, window, witness or next_page)

    def _is_one(self, suspect: _Suspect) -> bool:
        return suspect.fault is Fault.REPEATED_PAGE or suspect.window.stop < self.shown_to


# What proves the end of the listing, and what only looks like it.
#
# A short page is the end if a page with another number shows that there is nothing right behind its last row, or if
# another one, with another number and size, ends with the same offer. In a moving listing, arrivals push rows behind
# the former end; the end is then searched again. A short page there is accepted after only a few rows were found three
# times in a row, unless a short or empty page elsewhere had rows behind it: then pages are truncated, and a short page
# proves nothing. If full pages follow the end, a page far behind it is read, beyond any allowed catalogue size: some
# servers repeat the last page for ever, which counts as an end; other known rows or ever new rows mean that there is
# no end.

#: How often rows may be found behind the end before a short page there is accepted.
_PUSHED = 3
#: After this many reads behind the end that showed rows, further ones count as idle reads.
_MOST_LOOKS = 10
#: How often newly arrived offers may be all that is found far behind the end.
_STRANGE = 2
_FEW = 5
#: Number of rows at the end that are compared with those behind it.
_LAST = 200


class Tail:
    """Reads behind the last row of a chain. `size`: its largest page; `most`: the last position an offer may have."""

    def __init__(self, size: int, most: int, suspects: Suspects) -> None:
        self.is_proven = False
        #: far behind the end the last page is repeated
        self.repeats = False
        #: far behind the end there are other rows
        self.is_endless = False
        self._most, self._suspects = most, suspects
        self._size = size
        self._ending: Read | None = None
        self._far: Read | None = None
        self._is_suspicious = False
        self._pushed = self._strange = self._looks = 0
        #: reads that ended short, by the last offer they showed
        self._ends: dict[int, Read] = {}
        #: ids found right behind the end: pushed there by arrivals, or a repeated last page
        self._behind: set[int] = set()

    def look(self, run: WindowRun, size: int) -> Read | None:
        """The next read behind the run; None if its end is proven, or if no short page shows its end."""
        if self._is_suspicious:
            self._is_suspicious = False
            self._far = Read(self._most // size + 1, size)
            return self._far
        short = run.end
        if short is None:
            return None
        self.is_proven = self._is_end(short)
        if self.is_proven:
            return None
        self._ending = behind(short.stop, min(size, self._size), not_page=short.read.page)
        return self._ending

    def has(self, read: Read) -> bool:
        """Whether it is waiting for this read."""
        return read in (self._ending, self._far)

    def answered(self, read: Read, window: Window, new: int, head: WindowRun | None) -> bool:
        """Evaluate a read, with `new` offers that were not known. Returns whether it was idle."""
        if read == self._far:
            self._far = None
            self._far_behind(window, new, head)
            return False
        self._ending = None
        if not window.ids:
            self.is_proven = True
        if head is None or not window.ids:
            return False
        self._look_again(window, head)
        return new == 0 or self._looks > _MOST_LOOKS

    def failed(self, read: Read) -> None:
        """The read failed, although the marketplace responds to others."""
        self._ending = self._far = None
        self._size = smaller(read.size) if read.size > 1 else 1

    def _is_end(self, short: Window) -> bool:
        """Whether another read with another size ended with the same offer, which proves as much as an empty read."""
        read = self._ends.setdefault(short.ids[-1], short.read)
        return read.size != short.read.size and read.page != short.read.page

    def _look_again(self, window: Window, head: WindowRun) -> None:
        """Rows were found behind the end: pushed there by arrivals in front, or new ones."""
        self._behind.update(window.ids)
        if head.short is not None and not _last_shown(head).issuperset(window.ids):
            self._suspects.avoid(head.short.read)
        self._is_suspicious = not window.is_short
        is_cut = len(window.ids) > _FEW or self._suspects.any
        self._pushed = 0 if is_cut else self._pushed + 1
        self._looks += 1
        head.short = None
        if self._pushed >= _PUSHED and window.is_short:
            self.is_proven = True  # each earlier short page was followed by rows; this one is accepted

    def _far_behind(self, window: Window, new: int, head: WindowRun | None) -> None:
        if not window.ids or head is None:
            return
        strangers = len(set(window.ids) - _last_shown(head) - self._behind)
        self.repeats = not strangers
        are_few = strangers <= max(_FEW, len(window.ids) // 2)
        if 0 < strangers == new and are_few and self._strange < _STRANGE:  # they arrived after the end was read
            self._strange += 1
            head.short = None
            return
        self.is_endless = not self.repeats


def _last_shown(run: WindowRun) -> set[int]:
    """The ids of the last rows of a run, more than a page holds."""
    shown: set[int] = set()
    for window in reversed(run.windows):
        shown.update(window.ids)
        if len(shown) >= _LAST:
            break
    return shown
