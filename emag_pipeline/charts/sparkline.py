"""A series as a word of small blocks, `▁▂▅▇▃`: the picture that costs nothing."""

from collections.abc import Sequence
from decimal import Decimal

_BLOCKS = "▁▂▃▄▅▆▇█"
_ABSENT = " "

Number = Decimal | int | float


def draw(numbers: Sequence[Number | None], least: Number = 0) -> str:
    """One block a number, the lowest for `least`, the full one for the largest; a blank for None. Empty for no number.

    A series that is `least` throughout is drawn at the bottom where that is 0, else in the middle.
    """
    most = max((number for number in numbers if number is not None), default=least)
    return "".join(
        _ABSENT if number is None else _block(float(number), float(least), float(most)) for number in numbers
    )


def _block(number: float, least: float, most: float) -> str:
    if most == least:
        return _BLOCKS[len(_BLOCKS) // 2 if least else 0]
    return _BLOCKS[round((len(_BLOCKS) - 1) * (number - least) / (most - least))]
