"""Where does the listing end? What proves it, and what only looks like it.

A short page is the end if a page of another number shows that nothing stands right behind its last row, or if another
one, of another number and size, ends with the same offer. In a listing that moves, arrivals push rows to where the end
was: it is looked for again, and a short page there is believed when it were a few rows three times in a row, and no
short or empty page has had rows behind it elsewhere: else pages are cut, and a short one proves nothing. Full pages
behind the end are looked at once more far behind it, where no catalogue of the account may reach: the last page again
is the way in which some servers end; other known rows, or ever new ones, have no end.
"""

from emag_pipeline.sync.completeness.reads import Read, Window, behind
from emag_pipeline.sync.completeness.runs import WindowRun
from emag_pipeline.sync.completeness.stretches import smaller
from emag_pipeline.sync.completeness.suspects import Suspects

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
