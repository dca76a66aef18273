"""Signals before a command has begun, and for those that do not listen themselves: no end without a word."""

import os
import signal
import sys
from types import FrameType

from emag_pipeline.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def listen() -> None:
    """While modules are loaded a signal ends the process at once. One that is ignored stays so. Main thread only."""
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def raise_from_now_on() -> None:
    """From now on a signal raises KeyboardInterrupt or Interrupted, so that what was begun is put away."""
    for number in _SIGNALS:
        if signal.getsignal(number) == _end:
            signal.signal(number, _raise)


def _end(number: int, _: FrameType | None) -> None:
    try:
        if sys.__stderr__ is not None:
            os.write(sys.__stderr__.fileno(), f"{words(number)}, nothing had begun\n".encode())
    finally:  # also where nobody listens any more
        os._exit(Interrupted.exit_code)


def _raise(number: int, frame: FrameType | None) -> None:
    if number == signal.SIGINT:  # libraries know it
        raise KeyboardInterrupt(words(number))
    interrupt(number, frame)


def interrupt(number: int, _: FrameType | None) -> None:
    """A handler that ends the command and says by which signal."""
    raise Interrupted(words(number))


def words(number: int) -> str:
    """Which signal ended the program."""
    return f"emag-pipeline: interrupted by {signal.Signals(number).name}"
