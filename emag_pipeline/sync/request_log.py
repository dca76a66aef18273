"""The calls of an attempt on their way into the request log: gathered in memory, saved with each batch of pages."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID, uuid4

from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.model import RequestRecord
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements

# The request log (emag_requests) and the counters that metrics are made of (emag_counters).
#
# The vendor asks for keeping every call for 30 days (docs/marketplace-api.md, "Calls and responses").

#: Upper bounds of the latency histogram, in seconds.
LATENCY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_COLUMNS = tuple(column.name for column in fields(RequestRecord))


def save(database: Database, requests: Sequence[RequestRecord], batch_id: UUID | None = None) -> None:
    """Keep calls and count them, in one transaction.

    Whoever did not hear whether that was done repeats it with the same `batch_id`: they are kept and counted once.
    """
    if not requests:
        return
    first, *others = [{name: getattr(call, name) for name in _COLUMNS} | {"batch_id": None} for call in requests]
    insert = statements("sync/request_log.sql")["insert"]
    with database.transaction(timeout_seconds=60, durable=False) as tx:
        if tx.run(insert, **first | {"batch_id": batch_id or uuid4()}).rowcount:
            tx.run_many(insert, others)
            monitoring_tables.add_to_counters(tx, _counts(requests))


def count_since(database: Database, account: str, since: datetime) -> int:
    """How many calls the account has made since a moment, all processes together."""
    with database.transaction(timeout_seconds=60) as tx:
        count = statements("sync/request_log.sql")["count_since"]
        return int(tx.run(count, account=account, since=since).scalar_one())


def _counts(requests: Iterable[RequestRecord]) -> monitoring_tables.CounterAmounts:
    counts: defaultdict[monitoring_tables.CounterKey, float] = defaultdict(float)
    for call in requests:
        who = (("account_type", call.account_type), ("resource", call.resource))
        counts["emag_sync_requests_total", (*who, ("outcome", call.outcome))] += 1
        if call.error_class:
            counts["emag_sync_request_errors_total", (*who, ("error_class", call.error_class))] += 1
        bound = next((str(bucket) for bucket in LATENCY_BUCKETS if call.seconds <= bucket), "+Inf")
        counts["emag_sync_request_latency_seconds_bucket", (*who, ("le", bound))] += 1
        counts["emag_sync_request_latency_seconds_sum", who] += call.seconds
    return counts


# The calls of one attempt, until they are saved.

#: How much a new latency weighs against the earlier ones.
_WEIGHT = 0.2
#: What Retry-After may say is not bounded; a moment is.
_LONGEST_SECONDS = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Calls that are saved together, or may have been."""

    calls: Sequence[RequestRecord]
    batch_id: UUID = field(default_factory=uuid4)


class RequestLog:
    """Takes records from many threads; `latency_seconds` is the running mean of answered calls."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._waiting: list[RequestRecord] = []
        self._batches: list[_Batch] = []
        self.count = 0
        self._obstacle = ""
        self.latency_seconds = 0.0

    def record(self, request: RequestRecord) -> None:
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
                save(self._database, taken[0].calls, taken[0].batch_id)
                del taken[0]
        except BaseException:
            with self._lock:
                self._batches = taken + self._batches
            raise

    def close(self) -> None:
        """Save the last of it, if the database is there: its absence must not hide what ended the work."""
        with suppress(DatabaseUnavailable):
            self.flush()
