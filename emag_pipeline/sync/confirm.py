"""Reads missing offers one by one: absence from pages alone is never a deletion (guarantee G3).

An offer is missing if it is published, neither staged nor quarantined, and not yet confirmed either way. The results of
reads by id are recorded in emag_scan_confirmations.

An offer that breaks the marketplace's pages may break its read by id too. It keeps its last state. This is accepted for
at most as many offers as there are unreadable positions, and only while other calls succeed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from emag_pipeline.errors import ApiUnavailable, RequestRefused
from emag_pipeline.logs import logger
from emag_pipeline.model import Offer, Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import ledger, quarantine, staging_room, surprises
from emag_pipeline.sync.ledger import Lease
from emag_pipeline.sync.readers import Readers, ReadFailure
from emag_pipeline.sync.request_log import RequestLog
from emag_pipeline.sync.staging import BY_ID, RESOURCE, copy_offers, require_staged

if TYPE_CHECKING:  # the audit uses the counts, but makes no calls
    from emag_pipeline.marketplace import MarketplaceClient

log = logger(__name__)

_SQL = "sync/confirm.sql"
#: Number of offers read and recorded together.
_TOGETHER = 50


@dataclass(frozen=True, slots=True)
class ConfirmationCounts:
    """Results of reads of missing offers by id: how many were found, are gone, and cannot be read at all.

    A found offer that a page has shown since is no longer missing and not counted.
    """

    found: int
    gone: int
    unreadable: int


def confirm_missing(
    database: Database,
    lease: Lease,
    client: "MarketplaceClient",
    readers: Readers,
    calls: RequestLog,
    require_time: Callable[[], None],
    unreadable: int,
) -> None:
    """Read each offer that the pages did not show by its id, one call per offer, within the rate budget.

    Found offers are staged (or quarantined), absent ones are recorded as gone. `unreadable` is the number of reads by
    id that may fail for good. Raises the client's errors (absence is never inferred from a failure), StagingLost after
    a crash of the database, and the error of `require_time` after the sync's deadline.
    Source: docs/marketplace-api.md, "Filters", "Overview": deletions are not reported.
    """
    if missing_offers(database, lease, limit=1):
        begin_confirming(database, lease)
    while missing := missing_offers(database, lease, limit=_TOGETHER):
        require_staged(database, lease)  # else every offer lost from staging in a crash would be read by id
        answers = list(readers.each(missing, partial(_try, client)))
        require_time()
        failed = [(asked, error) for asked, error in answers if isinstance(error, ReadFailure)]
        unreadable -= len(failed)
        if failed:
            _require_others_to_answer(client, failed, unreadable)
        found = [offer for _, offer in answers if isinstance(offer, Offer)]
        rejected = [(asked, row) for asked, row in answers if isinstance(row, Reject)]
        gone = [asked for asked, answer in answers if answer is None]
        record(
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


def _try(client: "MarketplaceClient", offer_id: int) -> Offer | Reject | ReadFailure | None:
    try:
        return client.read_offer(offer_id)
    except (ApiUnavailable, RequestRefused) as error:
        return error


def _require_others_to_answer(
    client: "MarketplaceClient", failed: Sequence[tuple[int, ReadFailure]], unreadable_left: int
) -> None:
    """Raise the failure unless it can concern these offers only: they are few, and the marketplace does respond."""
    if unreadable_left < 0:
        raise failed[0][1]
    client.count()


def _rejected(offer_id: int, error: ReadFailure) -> Reject:
    said = f" ({error.why})" if error.why else ""
    return Reject(offer_id, f"every page that holds this offer fails, and so does its read by id{said}", "null")


# Missing offers and their confirmations in the database.


def begin_confirming(database: Database, lease: Lease) -> None:
    """Record in the ledger that all pages are read and missing offers are being confirmed."""
    with database.transaction() as tx:
        ledger.confirm(tx, lease)


def missing_offers(database: Database, lease: Lease, limit: int, after: int = 0) -> list[int]:
    """The ids of missing offers in ascending order after `after`, at most `limit` of them."""
    with database.transaction() as tx:
        rows = _run(tx, "missing_offers", lease.sync_id, lease.account, after=after, limit=limit)
        return list(rows.scalars())


def count_missing(tx: Transaction, sync_id: UUID, account: str) -> int:
    """The number of offers that are still missing, neither found nor confirmed gone."""
    return int(_run(tx, "count_missing", sync_id, account).scalar_one())


def count_answers(tx: Transaction, sync_id: UUID, account: str) -> ConfirmationCounts:
    """The results of reads by id that still count."""
    found = _run(tx, "count_found", sync_id, account).one()
    gone = _run(tx, "count_gone", sync_id, account).scalar_one()
    return ConfirmationCounts(found.known, gone, found.unreadable)


def answered(database: Database, lease: Lease) -> tuple[list[int], int, int]:
    """The missing offers found by id, the number of those that are gone, and of those whose reads fail."""
    with database.transaction() as tx:
        found = tx.run(statements(_SQL)["found"], account=lease.account, sync=lease.sync_id)
        answers = count_answers(tx, lease.sync_id, lease.account)
        return list(found.scalars()), answers.gone, answers.unreadable


def record(
    database: Database,
    lease: Lease,
    *,
    found: Sequence[Offer],
    rejected: Sequence[tuple[int, Reject]],
    gone: Sequence[int],
    read_at: datetime,
    failed: Sequence[tuple[int, Reject]] = (),
) -> None:
    """Record the results of reads by id: found offers are staged, rejected ones quarantined, absent ones recorded.

    `rejected` pairs the requested id with the returned row, `failed` with the reason why no read of it succeeds.
    """
    in_quarantine = [*rejected, *failed]
    with database.transaction() as tx:
        ledger.add_rejects(tx, lease, len(in_quarantine))
        copy_offers(tx, lease, BY_ID, read_at, found)
        surprises.note(tx, lease.account, RESOURCE, [one for offer in found for one in offer.surprises])
        for asked, row in in_quarantine:  # under the requested id: the row itself may have none
            quarantine.keep(tx, lease, BY_ID, [row], offer_id=asked)
        _note(tx, lease, [offer.emag_offer_id for offer in found], is_found=True)
        _note(tx, lease, [asked for asked, _ in rejected], is_found=True)
        _note(tx, lease, [asked for asked, _ in failed], is_found=True, is_unreadable=True)
        _note(tx, lease, gone, is_found=False)


def _note(tx: Transaction, lease: Lease, ids: Sequence[int], *, is_found: bool, is_unreadable: bool = False) -> None:
    said = {"account": lease.account, "sync": lease.sync_id, "found": is_found, "unreadable": is_unreadable}
    tx.run_many(staging_room.own(statements(_SQL)["note"], lease.account), [{**said, "id": id_} for id_ in ids])


def _run(tx: Transaction, name: str, sync_id: UUID, account: str, **values: Any) -> Any:
    return staging_room.run(tx, statements(_SQL)[name], account, sync=sync_id, **values)
