"""What the marketplace obeys of the page sizes that are asked for."""

from emag_pipeline.completeness.reads import SMALLEST_OF_CHAIN, Window
from emag_pipeline.completeness.runs import Runs

#: So many reads that fit nowhere right at the start: the marketplace pays no attention to the sizes asked for.
_FIT_NOWHERE = 6
#: So many answers that are longer than what was asked for; a single one is bad luck.
_TOO_LONG = 2


class Sizes:
    """What one chain has found out."""

    def __init__(self) -> None:
        #: sizes other than the usual ones are not obeyed
        self.are_ignored = False
        self._too_long = 0
        self._largest = 0
        self._alike: list[Window] = []

    def note_too_long(self, answers: int) -> None:
        """So many answers were longer than what was asked for."""
        self._too_long += answers
        self.are_ignored = self.are_ignored or self._too_long >= _TOO_LONG

    def look_at(self, runs: Runs, repairs: int, odd: int) -> None:
        """Whether so many repairs fit nowhere, though hardly a page was empty or short, as these `odd` ones were."""
        head = runs.head
        fits_nowhere = head is not None and len(runs.all) > 1 and all(one.first == 0 for one in head.windows)
        self.are_ignored = self.are_ignored or (fits_nowhere and repairs >= _FIT_NOWHERE >= odd)

    def shown_at_most(self, window: Window, offers: int) -> int | None:
        """How many rows pages show whatever is asked, if that is less: as many on short pages of other offers.

        Behind one of them some of the `offers` were counted: else it is the listing's end, and ends may be alike.
        """
        rows = len(window.ids)
        if rows > self._largest:
            self._largest, self._alike = rows, []
        if rows < self._largest or not window.is_short or any(one.read == window.read for one in self._alike):
            return None
        is_other = all(2 * len(set(one.ids).intersection(window.ids)) < rows for one in self._alike)
        self._alike.append(window)
        is_bound = is_other and any(one.stop < offers for one in self._alike)
        return rows if is_bound and len(self._alike) > 1 and rows >= SMALLEST_OF_CHAIN else None
