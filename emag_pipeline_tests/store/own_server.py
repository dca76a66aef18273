"""A PostgreSQL server of the test's own, which it may also crash, in whole or in part."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import psycopg2

from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline_tests.local.ups import wait_until

#: Nothing is written to disk before a commit asks for it: what a crash takes away is all of an open transaction.
LAZY = {"wal_writer_delay": "10s", "bgwriter_lru_maxpages": "0", "autovacuum": "off"}
#: Durable, as a user's server is.
DURABLE: dict[str, str] = {}

_HIGHEST = "SELECT max(CAST(CAST(backend_xid AS text) AS bigint)) FROM pg_stat_activity"


class OwnServer(ScratchServer):
    """A scratch server that crashes, and tells the numbers of its transactions."""

    def crash(self) -> None:
        """kill -9 of the whole server: what a power cut is to it."""
        postmaster = self.running().postmaster()
        killed = [postmaster, *postmaster.children(recursive=True)]
        for process in killed:
            process.kill()
        psutil.wait_procs(killed, timeout=30)

    def crash_one_process(self) -> None:
        """kill -9 of one of its processes, as the kernel does when memory is short: it begins anew by itself."""
        with self._asking() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            psutil.Process(cursor.fetchone()[0]).kill()
        wait_until(self._answers, 60)

    def highest_number(self) -> int:
        """The highest number of an open transaction."""
        with self._asking() as cursor:
            cursor.execute(_HIGHEST)
            return int(cursor.fetchone()[0])

    def use_number(self, number: int) -> None:
        """Commit other transactions until one has had that number."""
        with self._asking() as cursor:
            used = 0
            while used < number:
                cursor.execute("SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint)")
                used = cursor.fetchone()[0]

    def _answers(self) -> bool:
        try:
            with self._asking() as cursor:
                cursor.execute("SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    @contextmanager
    def _asking(self) -> Iterator["psycopg2.extensions.cursor"]:
        directory = self.running().socket_directory
        connection = psycopg2.connect(host=str(directory), user="postgres", dbname="postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()
