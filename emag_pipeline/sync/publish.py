"""Publish what the audit accepted: the second half of a sync."""

from dataclasses import dataclass
from typing import Any

from emag_pipeline.db import ledger, publish, requests, statistics
from emag_pipeline.db.engine import Database
from emag_pipeline.db.ledger import Lease
from emag_pipeline.db.publish import Published
from emag_pipeline.errors import LeaseLost
from emag_pipeline.logs import logger
from emag_pipeline.sync.attempt import attempt
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.persistence import until_done

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """A completed sync: its ledger row, what the publish did, and the calls it took over all attempts."""

    sync: Any
    published: Published
    requests: int

    @property
    def seconds(self) -> float:
        """From the start of the sync's last attempt to the publish."""
        return float((self.sync.completed_at - self.sync.attempt_started_at).total_seconds())


def publish_scan(context: SyncContext) -> SyncSummary:
    """Merge the accepted scan into what readers see, in one transaction, and complete the sync.

    A publish that met a deadlock or a lost connection is tried again: it left nothing, or all of it. Raises LeaseLost
    without a scan, RefusedError when no audit accepted it.
    """
    lease = ledger.held_by(context.database, context.account.name, context.run_id)
    with attempt(context, lease):
        published = until_done(lambda: _publish(context.database, lease))
        log.info(
            "offers_published",
            offers=published.offers,
            created=published.created,
            updated=published.updated,
            unchanged=published.unchanged,
            deleted=published.deleted,
            flagged=published.flagged,
            quarantined=published.rejected,
        )
    if statistics.is_much(published.created + published.updated + published.deleted, published.offers):
        statistics.renew(context.database, statistics.PUBLISHED)
    elif statistics.is_much(published.remembered, published.offers):
        statistics.renew(context.database, ["emag_row_digests"], ["account_type", "emag_offer_id"])
    # what is published stays so: a connection that is lost now is no failure of it
    return until_done(lambda: _summary(context.database, lease, published))


def _summary(database: Database, lease: Lease, published: Published) -> SyncSummary:
    sync = ledger.read(database, lease.sync_id)
    return SyncSummary(sync, published, requests.count_since(database, lease.account, sync.started_at))


def _publish(database: Database, lease: Lease) -> Published:
    """Publish; where an earlier try has done so and only the answer to its commit was lost, what that one did."""
    try:
        return publish.publish(database, lease)
    except LeaseLost:
        done = publish.published_by(database, lease)
        if done is None:
            raise
        log.info("commit_found", what="publish")
        return done
