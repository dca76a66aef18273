"""One offer over time: what is known of it, its commercial states in order, and the gaps in which it did not exist."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from emag_pipeline.errors import SettingsError
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import row_of
from emag_pipeline.store.sql import statements
from emag_pipeline.sync.status import account_statuses
from emag_pipeline.wording import minute

# Figures and texts of an offer, for people.

_STATUS = {0: "inactive", 1: "active", 2: "end of life"}


def status_words(status: int | None) -> str:
    """The seller's status in words; an undocumented one as a number."""
    return "unknown" if status is None else _STATUS.get(status, str(status))


def money(amount: Decimal | None) -> str:
    """An amount with the four decimals that the marketplace gives: `1,810.4995`; empty when there is none."""
    return "" if amount is None else f"{amount:,.4f}"


def one_line(text: str) -> str:
    """A text of the marketplace in one line, without control characters."""
    return "".join([sign if sign.isprintable() else "�" for sign in " ".join(text.split())])


@dataclass(frozen=True, slots=True)
class KnownOffer:
    """An offer that was published at least once. Times are UTC."""

    account: str
    emag_offer_id: int
    name: str | None
    first_seen_at: datetime
    #: tombstone, and since when the newest reading cannot be represented
    deleted_at: datetime | None
    rejected_at: datetime | None
    #: the newest response has a total stock, even if it is not a number
    is_stock_reported: bool
    #: the account's first publish: its states may have begun earlier
    known_since: datetime


@dataclass(frozen=True, slots=True)
class OfferState:
    """One commercial state, in force from `valid_from` until before `valid_to` (UTC; None: still).

    Prices are without VAT, in `currency`. `issue_codes` says why the offer could not be bought
    (marts.issue_words).
    """

    valid_from: datetime
    valid_to: datetime | None
    issue_codes: tuple[str, ...]
    is_saleable: bool
    status: int | None
    sale_price: Decimal | None
    best_offer_sale_price: Decimal | None
    currency: str | None
    general_stock: int | None
    estimated_stock: int | None
    buy_button_rank: int | None
    number_of_offers: int | None
    offer_validation_status: int | None
    validation_status: tuple[int, ...]
    translation_validation_status: tuple[int, ...]
    #: fields of a response that could not be read; they show their last good value
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why the offer was quarantined when it was read, and when."""

    reason: str
    rejected_at: datetime


_SQL = statements("admin/history.sql")
_LISTS = ("issue_codes", "validation_status", "translation_validation_status", "unreadable")


def require_known(database: Database, account: str, at: datetime) -> None:
    """Raise SettingsError unless the account's offers at that moment (UTC) are known; the error says which are."""
    with database.transaction(timeout_seconds=30) as tx:
        tx.run("SELECT emag_require_known(:account, CAST(:at AS timestamptz))", account=account, at=at)


def known_offer(database: Database, account: str, offer_id: int) -> KnownOffer | None:
    """What is known of an offer, None when it was never published."""
    with database.transaction(timeout_seconds=30) as tx:
        return row_of(tx.run(_SQL["known_offer"], account=account, offer=offer_id), KnownOffer)


def states_of(database: Database, account: str, offer_id: int, since: datetime | None = None) -> list[OfferState]:
    """The offer's states in order; with `since` only those still in force after it."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(_SQL["states"], account=account, offer=offer_id, since=since).mappings()
        return [OfferState(**{**row, **{name: tuple(row[name]) for name in _LISTS}}) for row in rows]


def said_of(
    database: Database, account: str, offer_id: int, codes: Iterable[str], language: str | None
) -> dict[str, str]:
    """The marketplace's reasons for an offer, by issue code, where it gives any (SQL function emag_refusal_said).

    `language` (two letters) is preferred, then English.
    """
    with database.transaction(timeout_seconds=30) as tx:
        rows = tx.run(_SQL["reasons_given"], account=account, offer=offer_id, codes=sorted(codes), language=language)
        return {row.code: row.said for row in rows if row.said is not None}


def newest_rejection(database: Database, account: str, offer_id: int) -> Rejection | None:
    """Why the offer's newest quarantined row was rejected; None when no such row is kept."""
    with database.transaction(timeout_seconds=60) as tx:
        return row_of(tx.run(_SQL["newest_rejection"], account=account, offer=offer_id), Rejection)


def found(database: Database, account: str, offer_id: int) -> KnownOffer:
    """The offer. Raises SettingsError when it was never published; the error says what is known instead."""
    offer = known_offer(database, account, offer_id)
    if offer is not None:
        return offer
    where = f"{account}, offer {offer_id}"
    rejected = newest_rejection(database, account, offer_id)
    if rejected is not None:
        raise SettingsError(
            "the offer was never published",
            where=where,
            why=f"it was quarantined when it was read at {minute(rejected.rejected_at)}: {rejected.reason}",
            remedy=f"Correct it in the marketplace; `emag-pipeline rejects --account {account}` lists quarantined rows",
        )
    (status,) = account_statuses(database, [account], sees_staging=False)
    if status.last_publish_at is None:
        raise SettingsError(
            "nothing is known about the offer",
            where=where,
            why="the account was never published",
            remedy=f"Run `emag-pipeline sync --account {account}`",
        )
    raise SettingsError(
        "the offer does not exist",
        where=where,
        why=f"no scan up to the publish of {minute(status.last_publish_at)} has read it",
        remedy="Check the account and the id (the seller's own, emag_offer_id in the tables)",
    )


def title(offer: KnownOffer) -> str:
    """The offer's place and name in one line."""
    return f"{offer.account}, offer {offer.emag_offer_id}: {one_line(offer.name or 'without a name')}"


def since(moment: datetime, known_since: datetime) -> str:
    """Since when, in words: how long a state of the first publish had lasted before is not known."""
    return f"{'at least ' if moment <= known_since else ''}since {minute(moment)}"


@dataclass(frozen=True, slots=True)
class Gap:
    """The marketplace did not have the offer (UTC; `valid_to` None: it still does not)."""

    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class OfferTimeline:
    """An offer and what happened to it, the oldest first."""

    offer: KnownOffer
    entries: tuple[OfferState | Gap, ...]


def timeline(database: Database, account: str, offer_id: int, since: datetime | None = None) -> OfferTimeline:
    """The offer's timeline; with `since` (UTC), starting with the state in force then.

    Raises SettingsError when the offer was never published, or `since` is before the account's first publish or in the
    future.
    """
    offer = found(database, account, offer_id)
    if since is not None:
        require_known(database, account, since)
    states = states_of(database, account, offer_id, since)
    gone_since = offer.deleted_at if not states else None
    return OfferTimeline(offer, tuple(_with_gaps(states, gone_since)))


def _with_gaps(states: Iterable[OfferState], end: datetime | None) -> Iterator[OfferState | Gap]:
    for state in states:
        if end is not None and end < state.valid_from:
            yield Gap(end, state.valid_from)
        yield state
        end = state.valid_to
    if end is not None:
        yield Gap(end, None)


def sampled(entries: Sequence[OfferState | Gap], number: int, now: datetime) -> list[OfferState | None]:
    """The states in force at `number` moments, evenly spread from the first entry to now; None in a gap."""
    if not entries:
        return []
    begins = [entry.valid_from for entry in entries]
    step = (now - begins[0]) / (number - 1)
    in_force = [entries[bisect_right(begins, begins[0] + step * place) - 1] for place in range(number)]
    return [entry if isinstance(entry, OfferState) else None for entry in in_force]
