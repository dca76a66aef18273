"""A bound on how long this process waits for a database that says nothing at all.

Statement timeouts are kept by the server, so they do not help against one that is frozen, or behind a network that
swallows packets: libpq would wait for ever. psycopg2's wait callback is where a client can look at its own clock.
It holds for the whole process and excludes COPY (psycopg2 manual, "Support for coroutine libraries"): for programs that
only ask, such as the exporter.
"""

import select
import time

import psycopg2
from psycopg2 import extensions


def limit_waiting(seconds: float) -> None:
    """From now on no connecting and no statement of this process waits longer: it fails with OperationalError."""

    def wait(connection: extensions.connection) -> None:
        until = time.monotonic() + seconds
        while (state := connection.poll()) != extensions.POLL_OK:
            left = until - time.monotonic()
            if left <= 0:
                raise psycopg2.OperationalError(f"no answer within {seconds:g} s")
            here = [connection.fileno()]
            reading = state == extensions.POLL_READ
            select.select(here if reading else [], [] if reading else here, [], left)

    extensions.set_wait_callback(wait)
