"""The published state of an account: its key figures and its offers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from emag_pipeline.store.columns import NARROW, WIDE, listed
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import filled, statements

_SQL = statements("sync/published.sql")
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Headline:
    """Key figures. `published_at` and `sync_id` are None before the first publish, `currency` if unknown."""

    account: str
    marketplace: str | None
    #: the account's currency, in which all amounts are summed (`emag_account_currency`)
    currency: str | None
    sync_id: UUID | None
    published_at: datetime | None
    #: the account's first publish; nothing is known about the time before
    known_since: datetime | None
    offers: int
    saleable: int
    #: pieces of all existing offers
    stock: Decimal
    #: value at sale prices, without VAT, of the stock of offers in `currency`, and the number of these pieces
    stock_value: Decimal
    stock_valued: Decimal
    stock_in_other_currencies: Decimal
    deleted: int
    #: existing offers whose amounts are in no sum, and their currencies in order
    offers_in_other_currencies: int
    other_currencies: list[str]
    #: existing offers whose newest row could not be represented
    quarantined: int

    @property
    def stock_without_price(self) -> Decimal:
        """Pieces of offers in `currency` that have no price, and so no value."""
        return self.stock - self.stock_valued - self.stock_in_other_currencies


def headline(database: Database, account: str) -> Headline:
    """The account's key figures, counted from the published offers; zeros if it was never published."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        [found] = rows_of(tx.run(_SQL["headline"], account=account), Headline)
    return found


_COLUMNS = tuple(column for column in NARROW + WIDE if column != "raw")


@dataclass(frozen=True, slots=True)
class PublishedOffer:
    """One published offer, narrow and wide columns. `version` changes with every write to its narrow row."""

    columns: Mapping[str, Any]
    is_deleted: bool
    version: str


def first_publish_day(database: Database) -> date | None:
    """The day (UTC) of the oldest publish of any account; None if nothing was published."""
    with database.transaction(timeout_seconds=60) as tx:
        day: date | None = tx.run(_SQL["first_publish_day"]).scalar_one()
    return day


def first_publish_days(database: Database, accounts: Sequence[str]) -> dict[str, date]:
    """The day (UTC) of the first publish, by account; accounts that were never published are left out."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(_SQL["first_publish_days"], accounts=list(accounts))
        return {row.account: row.day for row in rows if row.day is not None}


def published_offers(database: Database, account: str) -> dict[int, PublishedOffer]:
    """All published offers of an account by id, tombstoned ones too."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(filled(_SQL["offers"], {"columns": listed(_COLUMNS)}), account=account).mappings()
        return {
            row["emag_offer_id"]: PublishedOffer(
                {name: row[name] for name in _COLUMNS}, row["is_deleted"], row["version"]
            )
            for row in rows
        }
