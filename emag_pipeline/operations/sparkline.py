"""A curve in one line of text."""

from collections.abc import Sequence
from decimal import Decimal

_BARS = "▁▂▃▄▅▆▇█"
_ABSENT = " "


def sparkline(values: Sequence[Decimal | int | None], least: Decimal | int, greatest: Decimal | int) -> str:
    """A bar for each value, the lowest for `least` and the highest for `greatest`; a blank for None."""
    return "".join([_ABSENT if value is None else _bar(value, least, greatest) for value in values])


def _bar(value: Decimal | int, least: Decimal | int, greatest: Decimal | int) -> str:
    if greatest == least:
        return _BARS[len(_BARS) // 2]
    share = Decimal(value - least) / Decimal(greatest - least)
    return _BARS[min(int(share * len(_BARS)), len(_BARS) - 1)]
