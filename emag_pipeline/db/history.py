"""One offer over time: what is known of it, and its commercial states in order (emag_offer_history)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from emag_pipeline.db.engine import Database


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
class State:
    """One commercial state, in force from `valid_from` until before `valid_to` (UTC; None: still).

    Prices are without VAT, in `currency`. `issue_codes` says why the offer could not be bought (emag_pipeline.issues).
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


def states(database: Database, account: str, offer_id: int, since: datetime | None = None) -> list[State]:
    """The offer's states in order; with `since` only those that were still in force after it."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(_STATES, account=account, offer=offer_id, since=since).mappings()
        return [State(**{**row, **{name: tuple(row[name]) for name in _LISTS}}) for row in rows]


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
