"""The end of a process that was told to stop: at once, in time, with a sentence, and why where that is known."""

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

# The end of a process by a signal that nothing else hears: at once, with a sentence and the code that means it.

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


# Why this process was told to stop, where that is known: the ledger says it.

_known: list[str] = []


def note(why: str) -> None:
    """Keep the reason, a clause; the first one counts."""
    _known.append(why)


def words() -> str:
    """The reason, or that there was a signal."""
    return _known[0] if _known else "it was told to stop"


# The end of a process that was told to stop and does not hear it.
#
# The pipeline's own calls end when a signal comes. Dagster's do not: it stores events in calls into C that wait without
# bound for a database that says nothing, and a handler runs when they return. Python notes a signal in C, though, and
# tells it through a file at once: a thread that reads there hears it whatever the main thread does.

#: A sync that was told to stop has ended before; G12 promises five seconds.
_SECONDS = 4.3
_SAID = "interrupted, and it did not end in time; `emag-pipeline status` tells what became of it, the next sync goes on"


def end_in_time() -> None:
    """See to it that SIGTERM and SIGINT end this process in time; call it in the main thread.

    One that still lives then says so and ends with code 130. Its lease is free at once: the process is gone.
    """
    told, tells = os.pipe()
    os.set_blocking(tells, False)
    signal.set_wakeup_fd(tells, warn_on_full_buffer=False)
    Thread(target=_listen, args=(told,), name="signals", daemon=True).start()


def _listen(told: int) -> None:
    while os.read(told, 1)[0] not in (signal.SIGTERM, signal.SIGINT):
        pass
    time.sleep(_SECONDS)
    leave(1, _SAID)
