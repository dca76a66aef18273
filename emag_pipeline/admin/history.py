"""The timeline of one offer: its states in order, and the gaps in which it was gone."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from emag_pipeline.errors import SettingsError
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.status import account_statuses

# Figures and texts of an offer, for people.

_STATUS = {0: "inactive", 1: "active", 2: "end of life"}


def status_words(status: int | None) -> str:
    """The seller's status in words; the bare number of one that is not documented."""
    return "unknown" if status is None else _STATUS.get(status, str(status))


def money(amount: Decimal | None) -> str:
    """An amount with two places at least and no zeros behind them: `10.50`, `10.4995`; empty when there is none."""
    if amount is None:
        return ""
    text = f"{amount:,.4f}"
    return text[:-2] if text.endswith("00") else text.rstrip("0")


def one_line(text: str) -> str:
    """A text of the marketplace's in one line, without signs that a terminal would obey."""
    return "".join([sign if sign.isprintable() else "�" for sign in " ".join(text.split())])


# One offer over time: what is known of it, and its commercial states in order (emag_offer_history).


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
    #: the newest answer tells a total stock, also where no number can be read from it
    is_stock_told: bool
    #: the account's first publish: what stood then may have stood before
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
    #: fields that were in an answer and could not be read; they show their last good value
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a reading of the offer went into quarantine, and when."""

    reason: str
    rejected_at: datetime


_STATES = """
    SELECT valid_from, valid_to, is_saleable, status, sale_price, best_offer_sale_price, currency, general_stock,
           estimated_stock, buy_button_rank, number_of_offers, offer_validation_status, validation_status,
           translation_validation_status, unreadable,
           emag_issue_codes(status, general_stock, sale_price, offer_validation_status, validation_status,
                                     translation_validation_status, unreadable) AS issue_codes
    FROM emag_offer_history
    WHERE account_type = :account AND emag_offer_id = :offer
      AND (CAST(:since AS timestamptz) IS NULL OR valid_to IS NULL OR valid_to > :since)
    ORDER BY valid_from
"""
_LISTS = ("issue_codes", "validation_status", "translation_validation_status", "unreadable")


def require_known(database: Database, account: str, at: datetime) -> None:
    """Raise SettingsError unless the account's offers at that moment (UTC) are known; it says what is."""
    with database.transaction(timeout_seconds=30) as tx:
        tx.run("SELECT emag_require_known(:account, CAST(:at AS timestamptz))", account=account, at=at)


def known_offer(database: Database, account: str, offer_id: int) -> KnownOffer | None:
    """What is known of an offer, None when it was never published."""
    with database.transaction(timeout_seconds=30) as tx:
        row = tx.run(
            """SELECT o.account_type AS account, o.emag_offer_id, p.name,
                      coalesce(first.published_at, o.first_seen_at) AS first_seen_at,
                      coalesce(gone.published_at, o.deleted_at) AS deleted_at,
                      coalesce(rejected.published_at, o.rejected_at) AS rejected_at,
                      o.general_stock IS NOT NULL OR p.raw -> 'general_stock' IS NOT NULL AS is_stock_told,
                      emag_known_since(o.account_type) AS known_since
               FROM emag_product_offers o
               LEFT JOIN emag_products p USING (account_type, emag_offer_id)
               LEFT JOIN emag_publishes first
                   ON first.account_type = o.account_type AND first.stamp = o.first_seen_at
               LEFT JOIN emag_publishes gone
                   ON gone.account_type = o.account_type AND gone.stamp = o.deleted_at
               LEFT JOIN emag_publishes rejected
                   ON rejected.account_type = o.account_type AND rejected.stamp = o.rejected_at
               WHERE o.account_type = :account AND o.emag_offer_id = :offer""",
            account=account,
            offer=offer_id,
        ).one_or_none()
        return None if row is None else KnownOffer(**row._mapping)


def states_of(database: Database, account: str, offer_id: int, since: datetime | None = None) -> list[OfferState]:
    """The offer's states in order; with `since` only those that were still in force after it."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(_STATES, account=account, offer=offer_id, since=since).mappings()
        return [OfferState(**{**row, **{name: tuple(row[name]) for name in _LISTS}}) for row in rows]


def said_of(
    database: Database, account: str, offer_id: int, codes: Iterable[str], language: str | None
) -> dict[str, str]:
    """What the marketplace says of an offer, by issue code, where it says anything (SQL function emag_refusal_said).

    `language` (two letters) is preferred, then English.
    """
    with database.transaction(timeout_seconds=30) as tx:
        rows = tx.run(
            """SELECT code, emag_refusal_said(code, validation_details, doc_errors, :language) AS said
               FROM emag_products CROSS JOIN unnest(CAST(:codes AS text[])) code
               WHERE account_type = :account AND emag_offer_id = :offer""",
            account=account,
            offer=offer_id,
            codes=sorted(codes),
            language=language,
        )
        return {row.code: row.said for row in rows if row.said is not None}


def newest_rejection(database: Database, account: str, offer_id: int) -> Rejection | None:
    """Why the newest reading that could not be represented was none; None when there is none (any more)."""
    with database.transaction(timeout_seconds=60) as tx:
        row = tx.run(
            """SELECT reason, rejected_at FROM emag_offer_rejects
               WHERE account_type = :account AND emag_offer_id = :offer ORDER BY reject_id DESC LIMIT 1""",
            account=account,
            offer=offer_id,
        ).one_or_none()
        return None if row is None else Rejection(**row._mapping)


# One offer by its id, or in one sentence why there is none.


def found(database: Database, account: str, offer_id: int) -> KnownOffer:
    """The offer. Raises SettingsError when it was never published, saying what is known instead."""
    offer = known_offer(database, account, offer_id)
    if offer is not None:
        return offer
    where = f"{account}, offer {offer_id}"
    rejected = newest_rejection(database, account, offer_id)
    if rejected is not None:
        raise SettingsError(
            "it was never published",
            where=where,
            why=f"its reading of {at(rejected.rejected_at)} is in quarantine: {rejected.reason}",
            remedy=f"Correct it in the marketplace; `emag-pipeline rejects --account {account}` lists what waits there",
        )
    (status,) = account_statuses(database, [account], sees_staging=False)
    if status.last_publish_at is None:
        raise SettingsError(
            "nothing is known of it",
            where=where,
            why="the account was never published",
            remedy=f"Run `emag-pipeline sync --account {account}`",
        )
    raise SettingsError(
        "there is no such offer",
        where=where,
        why=f"no reading up to the publish of {at(status.last_publish_at)} showed it",
        remedy="Check the account and the id: it is the seller's own, emag_offer_id in the tables",
    )


def title(offer: KnownOffer) -> str:
    """The offer's place and name in one line."""
    return f"{offer.account}, offer {offer.emag_offer_id}: {one_line(offer.name or 'without a name')}"


def since(moment: datetime, known_since: datetime) -> str:
    """Since when, in words: of what the first publish showed it is not known how long it has been so before."""
    return f"{'at least ' if moment <= known_since else ''}since {at(moment)}"


def at(moment: datetime) -> str:
    """A moment (UTC) for people, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Gap:
    """The marketplace did not have the offer (UTC; `valid_to` None: it is gone still)."""

    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class OfferTimeline:
    """An offer and what happened to it, the oldest first."""

    offer: KnownOffer
    entries: tuple[OfferState | Gap, ...]


def timeline(database: Database, account: str, offer_id: int, since: datetime | None = None) -> OfferTimeline:
    """The offer's timeline; with `since` (UTC) from the state on that was in force then.

    Raises SettingsError when the offer was never published, or what was in force at `since` is not known: before the
    account's first publish, and in the future.
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
    """The states in force at so many moments, evenly spread from the first entry to now; None in a gap."""
    if not entries:
        return []
    begins = [entry.valid_from for entry in entries]
    step = (now - begins[0]) / (number - 1)
    in_force = [entries[bisect_right(begins, begins[0] + step * place) - 1] for place in range(number)]
    return [entry if isinstance(entry, OfferState) else None for entry in in_force]
