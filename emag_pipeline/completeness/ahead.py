"""The windows that are planned ahead, by position, so that several calls can be under way."""

from collections.abc import Container

from emag_pipeline.completeness.reads import Read, Window, after, behind

#: So many pages are planned at once where the listing goes on behind the count.
_BEYOND = 5


class Ahead:
    """Hands out the planned windows. `offers`: as counted; `most`: no window is planned behind that position."""

    def __init__(self, offers: int, most: int) -> None:
        #: offers that are expected: as counted, or more where full pages of new ones stood behind them
        self.offers = offers
        self._most = most
        self._planned_to = self._beyond = 0

    def take(self, size: int, without: Container[Read], *, is_quiet: bool) -> Read | None:
        """The next one; None where no more are expected, or while the first is awaited. `is_quiet`: none is."""
        if self._planned_to > min(self.offers, self._most) or (self._planned_to == 0 and not is_quiet):
            return None
        read = after(self._planned_to, size, without) or behind(self._planned_to, size)
        self._planned_to = read.stop
        return read

    def skip_to(self, position: int) -> None:
        """What stands before the position needs no window any more."""
        self._planned_to = max(self._planned_to, position)

    def begin_again(self) -> None:
        """Plan all of them anew."""
        self._planned_to = self._beyond = 0

    def note(self, window: Window, new: int, size: int) -> None:
        """A window came. Where the count is too low by far, more are planned, to read on at full speed."""
        if not window.is_short and new and window.stop > self.offers:
            self._beyond += 1
            if self._beyond > 1:
                self.offers = window.stop + _BEYOND * size
