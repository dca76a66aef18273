"""The request log (emag_requests) and the counters that metrics are made of (emag_counters).

The vendor asks for keeping every call for 30 days (docs/marketplace-api.md, "Calls and responses").
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID, uuid4

from emag_pipeline.db import counters
from emag_pipeline.db.engine import Database

#: Upper bounds of the latency histogram, in seconds.
LATENCY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Request(Protocol):
    """One call, as the client recorded it; no secret in any field."""

    @property
    def sent_at(self) -> datetime: ...
    @property
    def account_type(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def page(self) -> int | None: ...
    @property
    def page_size(self) -> int | None: ...
    @property
    def offer_id(self) -> int | None: ...
    @property
    def status(self) -> int | None: ...
    @property
    def outcome(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def bytes(self) -> int: ...
    @property
    def error_class(self) -> str | None: ...
    @property
    def error_body(self) -> str | None: ...


_FIELDS = (
    "sent_at", "account_type", "resource", "page", "page_size", "offer_id", "status", "outcome", "seconds", "bytes",
    "error_class", "error_body",
)  # fmt: skip
_INSERT = f"INSERT INTO emag_requests ({', '.join(_FIELDS)}) VALUES ({', '.join(':' + name for name in _FIELDS)})"
#: The first of a batch says which one it is. Waits for whoever is saving the same one, and inserts nothing then.
_INSERT_FIRST = f"""
    INSERT INTO emag_requests ({", ".join(_FIELDS)}, batch_id)
    VALUES ({", ".join(":" + name for name in _FIELDS)}, :batch_id)
    ON CONFLICT (batch_id) WHERE batch_id IS NOT NULL DO NOTHING
"""


def save(database: Database, requests: Sequence[Request], batch_id: UUID | None = None) -> None:
    """Keep calls and count them, in one transaction.

    Whoever did not hear whether that was done repeats it with the same `batch_id`: they are kept and counted once.
    """
    if not requests:
        return
    first, *others = [{name: getattr(call, name) for name in _FIELDS} for call in requests]
    with database.transaction(timeout_seconds=60, durable=False) as tx:
        if tx.run(_INSERT_FIRST, **first, batch_id=batch_id or uuid4()).rowcount:
            tx.run_many(_INSERT, others)
            counters.add(tx, _counts(requests))


def count_since(database: Database, account: str, since: datetime) -> int:
    """How many calls the account has made since a moment, all processes together."""
    with database.transaction(timeout_seconds=60) as tx:
        return int(
            tx.run(
                "SELECT count(*) FROM emag_requests WHERE account_type = :account AND sent_at >= :since",
                account=account,
                since=since,
            ).scalar_one()
        )


def _counts(requests: Iterable[Request]) -> counters.Amounts:
    counts: defaultdict[counters.Key, float] = defaultdict(float)
    for call in requests:
        who = (("account_type", call.account_type), ("resource", call.resource))
        counts["emag_sync_requests_total", (*who, ("outcome", call.outcome))] += 1
        if call.error_class:
            counts["emag_sync_request_errors_total", (*who, ("error_class", call.error_class))] += 1
        bound = next((str(bucket) for bucket in LATENCY_BUCKETS if call.seconds <= bucket), "+Inf")
        counts["emag_sync_request_latency_seconds_bucket", (*who, ("le", bound))] += 1
        counts["emag_sync_request_latency_seconds_sum", who] += call.seconds
    return counts
