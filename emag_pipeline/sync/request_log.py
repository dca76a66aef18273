"""The request log: an attempt's calls are collected in memory and saved with each batch of pages."""

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

# The request log (emag_requests) and the counters behind the metrics (emag_counters).
#
# The vendor asks clients to keep every call for 30 days (docs/marketplace-api.md, "Calls and responses").

#: Upper bounds of the latency histogram, in seconds.
LATENCY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_COLUMNS = tuple(column.name for column in fields(RequestRecord))


def save(database: Database, requests: Sequence[RequestRecord], batch_id: UUID | None = None) -> None:
    """Save calls and count them, in one transaction.

    If the outcome is unknown, repeat it with the same `batch_id`: the calls are saved and counted only once.
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
    """The number of calls that the account has made since then, over all processes."""
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

#: Weight of a new latency in the moving average.
_WEIGHT = 0.2
#: Upper bound for a wait, since Retry-After is unbounded but datetime is not.
_LONGEST_SECONDS = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class _Batch:
    """Calls that are saved together."""

    calls: Sequence[RequestRecord]
    batch_id: UUID = field(default_factory=uuid4)


class RequestLog:
    """Collects records from several threads; `latency_seconds` is the moving average over all calls."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._waiting: list[RequestRecord] = []
        self._batches: list[_Batch] = []
        self.count = 0
        self._obstacle = ""
        self.latency_seconds = 0.0

    def record(self, request: RequestRecord) -> None:
        """Add a call, to be saved by the next flush."""
        with self._lock:
            self._waiting.append(request)
            self.count += 1
            if request.outcome == "ok":
                self._obstacle = ""
            weight = _WEIGHT if self.latency_seconds else 1.0
            self.latency_seconds += weight * (request.seconds - self.latency_seconds)

    def waits(self, failed: str, seconds: float) -> None:
        """Note that a call failed and will be retried in `seconds`."""
        again = datetime.now(UTC) + timedelta(seconds=min(seconds, _LONGEST_SECONDS))
        with self._lock:
            self._obstacle = f"{failed}; retry at {again:%Y-%m-%d %H:%M:%S} UTC"

    def obstacle(self) -> str:
        """What the work is waiting for; empty while calls succeed."""
        with self._lock:
            return self._obstacle

    def flush(self) -> None:
        """Save the collected calls. On failure they are kept as the same batch for the next time, see `save`."""
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
        """Save the remaining calls. Ignores an unreachable database, which must not hide the error of the work."""
        with suppress(DatabaseUnavailable):
            self.flush()
