"""A series as a word of small blocks, `▁▂▅▇▃`: the picture that costs nothing."""

from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def draw(numbers: Sequence[float]) -> str:
    """One block a number of 0 or more; the largest is full, an even series is flat. Empty without numbers."""
    most = max(numbers, default=0)
    return "".join(_BLOCKS[round((len(_BLOCKS) - 1) * number / most) if most else 0] for number in numbers)
