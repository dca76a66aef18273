"""The calls of an attempt on their way into the request log: gathered in memory, saved with each batch of pages."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID, uuid4

from emag_pipeline.db import requests
from emag_pipeline.db.engine import Database
from emag_pipeline.db.requests import Request
from emag_pipeline.errors import DatabaseUnavailable

#: How much a new latency weighs against the earlier ones.
_WEIGHT = 0.2
#: What Retry-After may say is not bounded; a moment is.
_LONGEST_SECONDS = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Calls that are saved together, or may have been."""

    calls: Sequence[Request]
    batch_id: UUID = field(default_factory=uuid4)


class RequestLog:
    """Takes records from many threads; `latency_seconds` is the running mean of answered calls."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._waiting: list[Request] = []
        self._batches: list[_Batch] = []
        self.count = 0
        self._obstacle = ""
        self.latency_seconds = 0.0

    def record(self, request: Request) -> None:
        """Keep one call until the next flush."""
        with self._lock:
            self._waiting.append(request)
            self.count += 1
            if request.outcome == "ok":
                self._obstacle = ""
            weight = _WEIGHT if self.latency_seconds else 1.0
            self.latency_seconds += weight * (request.seconds - self.latency_seconds)

    def waits(self, failed: str, seconds: float) -> None:
        """A call failed and is tried again in so many seconds."""
        again = datetime.now(UTC) + timedelta(seconds=min(seconds, _LONGEST_SECONDS))
        with self._lock:
            self._obstacle = f"{failed}; tried again at {again:%Y-%m-%d %H:%M:%S} UTC"

    def obstacle(self) -> str:
        """What keeps the work waiting; empty while calls succeed."""
        with self._lock:
            return self._obstacle

    def flush(self) -> None:
        """Save what has gathered. On failure it is kept for the next time, as the batch that it was: see `save`."""
        with self._lock:
            if self._waiting:
                self._batches.append(_Batch(self._waiting))
            taken, self._batches, self._waiting = self._batches, [], []
        try:
            while taken:
                requests.save(self._database, taken[0].calls, taken[0].batch_id)
                del taken[0]
        except BaseException:
            with self._lock:
                self._batches = taken + self._batches
            raise

    def close(self) -> None:
        """Save the last of it, if the database is there: its absence must not hide what ended the work."""
        with suppress(DatabaseUnavailable):
            self.flush()
