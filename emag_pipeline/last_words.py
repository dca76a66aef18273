"""The end of a process by a signal that nothing else hears: at once, with a sentence and the code that means it."""

import os
import select
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from emag_pipeline.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def name(number: int) -> str:
    """Which signal it was, e.g. `interrupted by SIGTERM`."""
    return f"interrupted by {signal.Signals(number).name}"


def end_by(
    numbers: Iterable[int], descriptor: int | None, words: Callable[[int], str]
) -> Callable[[int, FrameType | None], None]:
    """From now on these signals end the process, which says `words` of the signal. Main thread only.

    Returns the handler. Without a descriptor, or where nobody reads there, the code tells all the same.
    """

    def end(number: int, _: FrameType | None) -> None:
        leave(descriptor, words(number))

    for number in numbers:
        signal.signal(number, end)
    return end


def leave(descriptor: int | None, words: str) -> NoReturn:
    """Say it and end with the code of an interruption; nothing is taken apart, and nothing is waited for."""
    try:
        if descriptor is not None:
            with suppress(OSError):
                if select.select([], [descriptor], [], 0)[1]:  # a full pipe would keep it
                    os.write(descriptor, words.encode())
    finally:
        os._exit(Interrupted.exit_code)
