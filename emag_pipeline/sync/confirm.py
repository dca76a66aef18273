"""Missing offers are asked for one by one: absence from pages alone is never a deletion (G3).

An offer that breaks the marketplace's own page may break its read by id too. It keeps its last state, but only as many
offers as there are unreadable positions can be missing for that reason, and only while other calls are answered.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from emag_pipeline.errors import ApiUnavailable, RequestRefused
from emag_pipeline.logs import logger
from emag_pipeline.marketplace import MarketplaceClient, Offer, Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import confirmations
from emag_pipeline.sync.figures import ScanFigures, require_staged
from emag_pipeline.sync.ledger import Lease
from emag_pipeline.sync.listing import ReadFailure
from emag_pipeline.sync.readers import Readers
from emag_pipeline.sync.request_log import RequestLog

log = logger(__name__)

_TOGETHER = 50


def may_confirm(figures: ScanFigures, max_shrink: float) -> bool:
    """Whether so few offers are missing that asking for each is sensible; more is for the audit to refuse."""
    return figures.vanished_share <= max_shrink


def confirm_missing(
    database: Database,
    lease: Lease,
    client: MarketplaceClient,
    readers: Readers,
    calls: RequestLog,
    require_time: Callable[[], None],
    unreadable: int,
) -> None:
    """Ask the marketplace for each offer that the pages did not show, one call an offer, within the rate budget.

    Found offers are staged (or quarantined), absent ones are noted as gone. `unreadable` is how many reads by id may
    fail for good. Raises the client's errors (absence is never inferred from a failure), StagingLost after a crash
    of the database, and what `require_time` raises when the sync's time is over.
    Source: docs/marketplace-api.md, "Filters", "Overview": deletions are not reported.
    """
    if confirmations.missing_offers(database, lease, limit=1):
        confirmations.begin_confirming(database, lease)
    while missing := confirmations.missing_offers(database, lease, limit=_TOGETHER):
        require_staged(database, lease)  # else all that a crash took from staging would be asked for by id
        answers = list(readers.each(missing, partial(_try, client)))
        require_time()
        failed = [(asked, error) for asked, error in answers if isinstance(error, ReadFailure)]
        unreadable -= len(failed)
        if failed:
            _require_others_to_answer(client, failed, unreadable)
        found = [offer for _, offer in answers if isinstance(offer, Offer)]
        rejected = [(asked, row) for asked, row in answers if isinstance(row, Reject)]
        gone = [asked for asked, answer in answers if answer is None]
        confirmations.record(
            database,
            lease,
            found=found,
            rejected=rejected,
            gone=gone,
            failed=[(asked, _rejected(asked, error)) for asked, error in failed],
            read_at=datetime.now(UTC),
        )
        counts = {"found": len(found), "quarantined": len(rejected), "gone": len(gone), "unreadable": len(failed)}
        log.info("missing_offers_asked", **counts)
        calls.flush()


def _try(client: MarketplaceClient, offer_id: int) -> Offer | Reject | ReadFailure | None:
    try:
        return client.read_offer(offer_id)
    except (ApiUnavailable, RequestRefused) as error:
        return error


def _require_others_to_answer(
    client: MarketplaceClient, failed: Sequence[tuple[int, ReadFailure]], unreadable_left: int
) -> None:
    """Raise the failure unless it can be these offers' own: few enough, while the marketplace answers otherwise."""
    if unreadable_left < 0:
        raise failed[0][1]
    client.count()


def _rejected(offer_id: int, error: ReadFailure) -> Reject:
    said = f" ({error.why})" if error.why else ""
    return Reject(offer_id, f"every page that holds this offer fails, and so does its read by id{said}", "null")
