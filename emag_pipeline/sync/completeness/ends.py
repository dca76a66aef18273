"""Empty, short and repeated pages: the listing's end, a fault, or movement that looks like either.

`Suspects` are pages that look like faults, `Tail` looks for what proves the end.
"""

from array import array
from collections import Counter
from dataclasses import dataclass, replace

from emag_pipeline.sync.completeness.reads import Avoided, Read, Window, behind
from emag_pipeline.sync.completeness.runs import WindowRun
from emag_pipeline.sync.completeness.situation import Fault
from emag_pipeline.sync.completeness.stretches import smaller

# Answers that look like a fault and may be movement, and page numbers that are better avoided.
#
# An empty or short page with rows behind it, or a full page of rows that another page has shown, may come from a
# listing that has moved. So the scan goes around it first, by other page numbers that show the same positions. Only
# where no way leads around, the very same read is asked again; if the answer is the same, a witness is asked: the next
# page, which shows rows if the suspect's should not be missing, or the page whose rows it repeats.

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
        """The page showed rows, of which so many offers are new. Returns whether page numbers are ignored."""
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


# Where does the listing end? What proves it, and what only looks like it.
#
# A short page is the end if a page of another number shows that nothing stands right behind its last row, or if another
# one, of another number and size, ends with the same offer. In a listing that moves, arrivals push rows to where the
# end was: it is looked for again, and a short page there is believed when it were a few rows three times in a row, and
# no short or empty page has had rows behind it elsewhere: else pages are cut, and a short one proves nothing. Full
# pages behind the end are looked at once more far behind it, where no catalogue of the account may reach: the last page
# again is the way in which some servers end; other known rows, or ever new ones, have no end.

#: So often rows may stand behind the end before a short page there is believed.
_PUSHED = 3
#: After so many looks that showed rows, further ones count as reads that lead nowhere.
_MOST_LOOKS = 10
#: So often offers that have just arrived may be all that stands far behind the end.
_STRANGE = 2
_FEW = 5
#: So many rows of the end are compared with what stands behind it.
_LAST = 200


class Tail:
    """Looks behind the last row of a chain. `size`: its largest page; `most`: where no offer may be."""

    def __init__(self, size: int, most: int, suspects: Suspects) -> None:
        self.is_proven = False
        #: what stands far behind the end is the last page
        self.repeats = False
        #: what stands far behind the end is something else
        self.is_endless = False
        self._most, self._suspects = most, suspects
        self._size = size
        self._ending: Read | None = None
        self._far: Read | None = None
        self._is_suspicious = False
        self._pushed = self._strange = self._looks = 0
        #: reads that ended short, by the last offer they showed
        self._ends: dict[int, Read] = {}
        #: what stood right behind the end, since arrivals or the last page again
        self._behind: set[int] = set()

    def look(self, run: WindowRun, size: int) -> Read | None:
        """What to read next behind the run; None where it is proven to end, or where no short page shows its end."""
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
        """Whether it asked for this and was not told yet."""
        return read in (self._ending, self._far)

    def answered(self, read: Read, window: Window, new: int, head: WindowRun | None) -> bool:
        """What stands there, with so many offers that were not known. Returns whether nothing was learned from it."""
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
        """The read failed, while the marketplace answers others."""
        self._ending = self._far = None
        self._size = smaller(read.size) if read.size > 1 else 1

    def _is_end(self, short: Window) -> bool:
        """Whether another read, of another size, ended with the same offer: as good as an empty read behind it."""
        read = self._ends.setdefault(short.ids[-1], short.read)
        return read.size != short.read.size and read.page != short.read.page

    def _look_again(self, window: Window, head: WindowRun) -> None:
        """Arrivals in front have pushed the last offers behind the end, or new ones stand there."""
        self._behind.update(window.ids)
        if head.short is not None and not _last_shown(head).issuperset(window.ids):
            self._suspects.avoid(head.short.read)
        self._is_suspicious = not window.is_short
        is_cut = len(window.ids) > _FEW or self._suspects.any
        self._pushed = 0 if is_cut else self._pushed + 1
        self._looks += 1
        head.short = None
        if self._pushed >= _PUSHED and window.is_short:
            self.is_proven = True  # each short page's end was shown to be none, up to this one

    def _far_behind(self, window: Window, new: int, head: WindowRun | None) -> None:
        if not window.ids or head is None:
            return
        strangers = len(set(window.ids) - _last_shown(head) - self._behind)
        self.repeats = not strangers
        are_few = strangers <= max(_FEW, len(window.ids) // 2)
        if 0 < strangers == new and are_few and self._strange < _STRANGE:  # arrived since the end was read
            self._strange += 1
            head.short = None
            return
        self.is_endless = not self.repeats


def _last_shown(run: WindowRun) -> set[int]:
    """The last rows of a run, more than its largest page holds."""
    shown: set[int] = set()
    for window in reversed(run.windows):
        shown.update(window.ids)
        if len(shown) >= _LAST:
            break
    return shown
