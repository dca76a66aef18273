"""Signals that arrive while the program is loaded, or during a command that has no handler of its own.

None of them ends the program without a message.
"""

import json
import os
import signal
import sys
from types import FrameType

from emag_pipeline import process_end
from emag_pipeline.errors import Interrupted
from emag_pipeline.wording import iso_now


def listen() -> None:
    """End the process at once on a signal, while modules are loaded. Ignored signals stay ignored. Main thread only."""
    handled = [number for number in process_end.SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    descriptor = None if sys.__stderr__ is None else sys.__stderr__.fileno()
    _ENDING[:] = [process_end.end_by(handled, descriptor, lambda number: _line(f"{words(number)}, nothing had begun"))]


def _line(text: str) -> str:
    """The text as a log line in the format that the environment asks for; `.env` has not been read yet."""
    if os.environ.get("EMAG_LOG_FORMAT", "").strip() == "json":
        entry = {"time": iso_now(), "level": "warning", "event": "line_printed", "logger": "output", "message": text}
        text = json.dumps(entry)
    return f"{text}\n"


#: The handler that `listen` has installed.
_ENDING: list[object] = []


def raise_from_now_on() -> None:
    """From now on a signal raises KeyboardInterrupt or Interrupted, so that what was started is cleaned up."""
    for number in process_end.SIGNALS:
        if signal.getsignal(number) in _ENDING:
            signal.signal(number, _raise)


def _raise(number: int, frame: FrameType | None) -> None:
    if number == signal.SIGINT:  # libraries know it
        raise KeyboardInterrupt(words(number))
    interrupt(number, frame)


def interrupt(number: int, _: FrameType | None) -> None:
    """A signal handler that ends the command and names the signal."""
    raise Interrupted(words(number))


def words(number: int) -> str:
    """Which signal ended the program."""
    return f"emag-pipeline: {process_end.name(number)}"
