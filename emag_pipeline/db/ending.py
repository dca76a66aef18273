"""The end of a transaction from outside: its process serves nobody any more, and holds locks."""

import select
import time
from collections.abc import Mapping
from typing import Any

import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import connection as DriverConnection

from emag_pipeline.db.aside import once
from emag_pipeline.db.line import Work

#: To connect, and to say it.
_SECONDS = 5.0

_END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = %s AND xact_start = %s AND datname = current_database()
"""


def end(work: Work, parameters: Mapping[str, Any]) -> None:
    """End a transaction by a connection of its own, made with these parameters, in a thread of its own; never waits.

    Not by a cancel request: the driver sends it without letting other threads run, and waits for the answer.
    """

    def connect_and_end() -> None:
        until = time.monotonic() + _SECONDS
        connection = psycopg2.connect(**parameters, async_=True)  # so that each step has an end
        try:
            _wait(connection, until)
            connection.cursor().execute(_END, (work.process_id, work.began_at))
            _wait(connection, until)
        finally:
            connection.close()

    once(connect_and_end)


def _wait(connection: DriverConnection, until: float) -> None:
    """Wait for what was asked of an asynchronous connection; raises OperationalError when the time is over."""
    while (state := connection.poll()) != extensions.POLL_OK:
        left = until - time.monotonic()
        if left <= 0:
            raise psycopg2.OperationalError("no answer")
        here = [connection.fileno()]
        reading = state == extensions.POLL_READ
        select.select(here if reading else [], [] if reading else here, [], left)
