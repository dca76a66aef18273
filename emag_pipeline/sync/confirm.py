"""Missing offers are asked for one by one: absence from pages alone is never a deletion (G3)."""

from collections.abc import Callable
from datetime import UTC, datetime

from emag_pipeline.api import Marketplace, Offer, Reject
from emag_pipeline.db import confirmations
from emag_pipeline.db.audit import Figures
from emag_pipeline.db.engine import Database
from emag_pipeline.db.ledger import Lease
from emag_pipeline.logs import logger
from emag_pipeline.sync.readers import Readers
from emag_pipeline.sync.request_log import RequestLog

log = logger(__name__)

_TOGETHER = 50


def may_confirm(figures: Figures, max_shrink: float) -> bool:
    """Whether so few offers are missing that asking for each is sensible; more is for the audit to refuse."""
    return figures.vanished_share <= max_shrink


def confirm_missing(
    database: Database,
    lease: Lease,
    round_: int,
    client: Marketplace,
    readers: Readers,
    calls: RequestLog,
    require_time: Callable[[], None],
) -> None:
    """Ask the marketplace for each offer that the pages did not show, one call an offer, within the rate budget.

    Found offers are staged (or quarantined), absent ones are noted as gone. Raises the client's errors (absence is
    never inferred from a failure), and what `require_time` raises when the sync's time is over.
    Source: emag-api.md section 4 (filter `id`), section 8 (deletions are not reported).
    """
    if confirmations.missing(database, lease, round_, limit=1):
        confirmations.begin_confirming(database, lease)
    while missing := confirmations.missing(database, lease, round_, limit=_TOGETHER):
        answers = list(readers.each(missing, client.read_offer))
        require_time()
        found = [offer for _, offer in answers if isinstance(offer, Offer)]
        rejected = [(asked, row) for asked, row in answers if isinstance(row, Reject)]
        gone = [asked for asked, answer in answers if answer is None]
        confirmations.record(
            database, lease, round_, found=found, rejected=rejected, gone=gone, read_at=datetime.now(UTC)
        )
        log.info("missing_offers_asked", found=len(found), quarantined=len(rejected), gone=len(gone))
        calls.flush()
