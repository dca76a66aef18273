"""Bring an account's whole catalogue into staging: the first half of a sync."""

import time
from dataclasses import dataclass
from uuid import UUID

from emag_pipeline.errors import AnotherSyncRunning
from emag_pipeline.logs import logger
from emag_pipeline.marketplace import MarketplaceClient
from emag_pipeline.sync import figures as audit
from emag_pipeline.sync import ledger, liveness, staging
from emag_pipeline.sync.accounts import note_marketplaces
from emag_pipeline.sync.attempt import attempt
from emag_pipeline.sync.context import SyncContext, timeouts_of
from emag_pipeline.sync.figures import ScanFigures
from emag_pipeline.sync.lease import take_lease
from emag_pipeline.sync.ledger import Lease
from emag_pipeline.sync.readers import Readers, calls_under_way
from emag_pipeline.sync.request_log import RequestLog
from emag_pipeline.sync.scan import Scan

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Staged:
    """What an attempt staged. `seconds` and `requests` are this attempt's; the figures are the whole scan's."""

    sync_id: UUID
    attempt: int
    figures: ScanFigures
    #: different rows that it was the first attempt to show
    new_rows: int
    seconds: float
    requests: int
    #: share of the calls that the rate budget allowed in that time
    rate_share: float


def stage_account(context: SyncContext) -> Staged:
    """Take the account's lease and read all pages into staging, going on where an interrupted sync stopped.

    The lease stays with the Dagster run, for the audit and the publish. Raises AnotherSyncRunning when somebody
    else holds it; any other failure ends the attempt in the ledger and is passed on.
    """
    lease = _lease(context)
    calls = RequestLog(context.database)
    with attempt(context, lease, calls.obstacle):
        log.info("sync_resumed" if lease.resumed else "sync_started", approved=lease.approved)
        note_marketplaces(context.database, context.settings, context.dagster_instance_id)
        staging.discard_remains(context.database, lease)
        return _stage(context, lease, calls)


def _lease(context: SyncContext) -> Lease:
    settings = context.settings
    liveness.bring_back_signs(context.database, context.account.name)
    try:
        return take_lease(
            context.database,
            context.account.name,
            context.run_id,
            timeout_hours=settings.timeout_hours,
            heartbeat_timeout_seconds=settings.heartbeat_timeout_seconds,
            run_has_ended=context.run_has_ended,
            dagster_instance_id=context.dagster_instance_id,
            anew=context.anew,
        )
    except AnotherSyncRunning as other:
        log.info("sync_already_running", account=context.account.name, message=other.message)
        raise


def _stage(context: SyncContext, lease: Lease, calls: RequestLog) -> Staged:
    began = time.monotonic()
    before = ledger.read(context.database, lease.sync_id).total_offers_processed if lease.resumed else 0
    budget = context.budget()
    timeouts = timeouts_of(context.settings)
    client = MarketplaceClient(context.account, budget, record=calls.record, waits=calls.waits, timeouts=timeouts)
    readers = Readers(lambda: calls_under_way(calls.latency_seconds, 1 / budget.pace_seconds))
    try:
        with context.database.hurried_when_interrupted():  # before the readers are waited for, which may ask it too
            Scan(context, lease, client, readers, calls).run()
    finally:
        client.abort()
        readers.close()
        client.close()
        calls.close()
    seconds = time.monotonic() - began
    figures = audit.figures(context.database, lease.sync_id)
    took = {"requests": calls.count, "seconds": round(seconds, 2)}
    log.info("scan_staged", pages=figures.pages_staged, offers=figures.rows, **took)
    return Staged(
        sync_id=lease.sync_id,
        attempt=lease.attempt,
        figures=figures,
        new_rows=max(0, figures.rows - before),
        seconds=seconds,
        requests=calls.count,
        rate_share=calls.count * budget.pace_seconds / seconds,
    )
