"""The end of a process that was told to stop and does not hear it.

The pipeline's own calls end when a signal comes. Dagster's do not: it stores events in calls into C that wait without
bound for a database that says nothing, and a handler runs when they return. Python notes a signal in C, though, and
tells it through a file at once: a thread that reads there hears it whatever the main thread does.
"""

import os
import signal
import time
from threading import Thread

from emag_pipeline import last_words

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
    last_words.leave(1, _SAID)
