"""Whole syncs of hand-made offers, through the storage's own functions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import confirm, figures, publish, staging
from emag_pipeline.sync.lease import take_lease
from emag_pipeline.sync.ledger import Lease
from emag_pipeline.sync.staging import Reached
from emag_pipeline_tests.sync.offers import Offers, page_of, window_of


def begin(database: Database, account: str = "main", run_id: str | None = None, **changes: Any) -> Lease:
    options: dict[str, Any] = {
        "timeout_hours": 2.0,
        "heartbeat_timeout_seconds": 120.0,
        "run_has_ended": lambda _: False,
        **changes,
    }
    return take_lease(database, account, run_id or str(uuid4()), **options)


def stage(database: Database, lease: Lease, offers: Offers, rejects: Sequence[Reject] = ()) -> None:
    rows = len(offers) + len(rejects)
    staging.plan(database, lease, pages=1, offers=rows)
    noticed = [one for offer in offers for one in offer.surprises]
    window = window_of(page_of(1, offers, rejects, surprises=noticed))
    staging.stage_windows(database, lease, [window], Reached(1, 1, rows))
    figures.note_ending(database, lease, {"count_after": rows, "proven": 1})


def stage_page(database: Database, lease: Lease, number: int, offers: Offers, *, rows: int) -> None:
    """One more window; `rows`: how many have been shown by then."""
    staging.stage_windows(database, lease, [window_of(page_of(number, offers))], Reached(number, number, rows))


def sync(
    database: Database,
    offers: Offers,
    *,
    gone: Sequence[int] = (),
    rejects: Sequence[Reject] = (),
    account: str = "main",
) -> publish.Published:
    """Stage, confirm, accept and publish."""
    lease = begin(database, account)
    staging.discard_remains(database, lease)
    stage(database, lease, offers, rejects)
    if gone:
        read_at = datetime.now(UTC)
        confirm.record(database, lease, found=(), rejected=(), gone=gone, read_at=read_at)
    figures.begin_audit(database, lease)
    figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())
    return publish.publish(database, lease)


def execute(database: Database, sql: str, /, **parameters: Any) -> None:
    with database.transaction() as tx:
        tx.run(sql, **parameters)


def rows(database: Database, sql: str, /, **parameters: Any) -> list[Any]:
    with database.transaction() as tx:
        return list(tx.run(sql, **parameters).all())
