"""Looking on from outside: how old each account's copy is, second by second, whatever happens to the database."""

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psycopg2

from emag_pipeline_tests.soak.stack import ACCOUNTS, FRESH_SECONDS, Stack

_LAST_PUBLISHES = """
    SELECT account_type, extract(epoch FROM max(completed_at))::float8 FROM app.emag_offer_syncs
    WHERE status = 'completed' GROUP BY account_type
"""


@dataclass(slots=True)
class Watch:
    """Samples every second; while the database is away, what was published before counts on, and ages.

    An account that has not been published yet is as old as the watch.
    """

    stack: Stack
    samples: int = 0
    fresh_samples: int = 0
    oldest_seconds: float = 0.0
    #: each publish that was seen: account and time (seconds since 1970)
    publishes: set[tuple[str, float]] = field(default_factory=set)
    _last: dict[str, float] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Look no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        began = time.time()
        while not self._over.wait(1.0):
            self._last |= self._published()
            self.publishes |= set(self._last.items())
            ages = [time.time() - self._last.get(account, began) for account in ACCOUNTS]
            self.samples += 1
            self.fresh_samples += max(ages) <= FRESH_SECONDS
            self.oldest_seconds = max(self.oldest_seconds, *ages)

    def _published(self) -> dict[str, float]:
        url = self.stack.database_url.replace("postgresql+psycopg2", "postgresql")
        try:
            connection = psycopg2.connect(url, connect_timeout=2)
        except psycopg2.Error:
            return {}
        try:
            with connection.cursor() as cursor:
                cursor.execute(_LAST_PUBLISHES)
                return dict(cursor.fetchall())
        except psycopg2.Error:
            return {}
        finally:
            connection.close()
