"""Answers that look like a fault and may be movement, and page numbers that are better avoided.

An empty or short page with rows behind it, or a full page of rows that another page has shown, may come from a listing
that has moved. So the scan goes around it first, by other page numbers that show the same positions. Only where no way
leads around, the very same read is asked again; if the answer is the same, a witness is asked: the next page, which
shows rows if the suspect's should not be missing, or the page whose rows it repeats.
"""

from array import array
from collections import Counter
from dataclasses import dataclass, replace

from emag_pipeline.sync.completeness.reads import Avoided, Read, Window
from emag_pipeline.sync.completeness.runs import WindowRun
from emag_pipeline.sync.completeness.situation import Fault

#: So many pages that show the first one's rows, while nothing else was shown, are no movement.
_IGNORED = 3


@dataclass(frozen=True, slots=True)
class _Suspect:
    fault: Fault
    window: Window
    witness: Read


class Suspects:
    """What one chain has met of them."""

    def __init__(self) -> None:
        self.empties: list[Window] = []
        #: the furthest position that showed a row
        self.shown_to = 0
        #: what to ask again, or its witness
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
        """Whether answers looked like faults, even if others went around them."""
        return any(self._is_one(suspect) for suspect in self._suspects.values())

    @property
    def odd(self) -> int:
        """Empty pages and short ones that were no ends."""
        return len(self.empties) + len(self._shorts)

    def avoided(self, tried: set[Read]) -> Avoided:
        """The reads that are not worth trying: those tried, and those of page numbers that failed twice."""
        return Avoided(tried | self._bad, {page for page, times in self._bad_pages.items() if times > 1})

    def avoid(self, read: Read) -> None:
        """Its answer was wrong."""
        self._bad.add(read)
        self._bad_pages[read.page] += 1

    def note_idle(self, read: Read) -> None:
        """It showed nothing new where something was missing: it may be a page that shows another one's rows."""
        self._bad_pages[read.page] += 1

    def note_empty(self, window: Window) -> None:
        """The page showed nothing."""
        self.empties.append(window)
        self._suspect(Fault.EMPTY_PAGE, window)
        self._bad.add(window.read)

    def note_rows(self, window: Window, new: int, runs: list[WindowRun]) -> bool:
        """The page showed rows, of which so many offers are new. Returns whether page numbers are paid no attention."""
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
        """Whether a short page is no link of the chain: rows are expected behind it, and no other page ended there.

        The same page number, or the same size, may be short there for a reason of its own.
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
        """The first empty read that is newer than the run's end and lies before it: the listing has become shorter."""
        newest, end = run.right.number, run.right.position
        found = (one for one in self.empties if one.number > newest and one.first <= end)
        return min(found, key=lambda one: one.first, default=None)

    def is_gone(self, run: WindowRun) -> bool:
        """Whether the listing has become so short that it ends before the place where the run stood."""
        newest = run.right.number
        return sum(one.number > newest and one.first <= run.left.position for one in self.empties) > 1

    def accuse(self) -> Read | None:
        """What to ask once more; None when nothing looks like a fault any more."""
        while self._suspects:
            read, suspect = self._suspects.popitem()
            if self._is_one(suspect):
                self.accused, self._judged = read, suspect
                return read
        return None

    def acquit(self) -> None:
        """The accused read cannot be asked again."""
        self.accused = None

    def judge(self, now: Window) -> Fault | None:
        """What the accused read, or the witness, showed. Returns the fault once both have said so."""
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
