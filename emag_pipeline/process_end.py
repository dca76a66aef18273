"""Ends a process that was asked to stop: at once or in time, with a message, and the reason if it is known."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Thread
from types import FrameType
from typing import NoReturn

from emag_pipeline.errors import Interrupted

# Ending at once on a signal that nothing else handles, with a message and the exit code of an interruption.

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def name(number: int) -> str:
    """The signal in words, e.g. `interrupted by SIGTERM`."""
    return f"interrupted by {signal.Signals(number).name}"


def end_by(
    numbers: Iterable[int], descriptor: int | None, words: Callable[[int], str]
) -> Callable[[int, FrameType | None], None]:
    """From now on these signals end the process, which prints `words` with the signal. Main thread only.

    Returns the handler. Without a descriptor or a reader, the exit code is still set.
    """

    def end(number: int, _: FrameType | None) -> None:
        leave(descriptor, words(number))

    for number in numbers:
        signal.signal(number, end)
    return end


def leave(descriptor: int | None, words: str) -> NoReturn:
    """Print the message and exit with the code of an interruption, without cleaning up or waiting."""
    try:
        if descriptor is not None:
            with suppress(OSError):
                if select.select([], [descriptor], [], 0)[1]:  # writing to a full pipe would block
                    os.write(descriptor, words.encode())
    finally:
        os._exit(Interrupted.exit_code)


# Why this process was asked to stop, if it is known, for the ledger.

_known: list[str] = []


def note(why: str) -> None:
    """Store the reason, a clause; the first one is kept."""
    _known.append(why)


def words() -> str:
    """The reason, or that there was a signal."""
    return _known[0] if _known else "it was told to stop"


# Ending a process that was asked to stop but is blocked.
#
# The pipeline's own calls end on a signal. Dagster's do not: it stores events in calls to C code that wait without
# limit for a silent database, and a Python handler runs only when they return. But Python's C code also writes each
# signal to a file descriptor at once: a thread that reads it is informed whatever the main thread does.

#: A sync that was asked to stop normally ends earlier; G12 promises five seconds.
_SECONDS = 4.3
_SAID = "interrupted, and it did not end in time; `emag-pipeline status` shows its state, the next sync continues"


def end_in_time() -> None:
    """Make sure that SIGTERM and SIGINT end this process in time; call it in the main thread.

    If it is still running at the time limit, it prints a message and exits with code 130; its lease is then free.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    Thread(target=_listen, args=(reader,), name="signals", daemon=True).start()


def _listen(reader: int) -> None:
    while os.read(reader, 1)[0] not in (signal.SIGTERM, signal.SIGINT):
        pass
    time.sleep(_SECONDS)
    leave(1, _SAID)
