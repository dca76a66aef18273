"""The account as published: the numbers that everybody asks for first, and its offers row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from emag_pipeline.store.columns import NARROW, WIDE, listed
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import statements

_SQL = statements("sync/published.sql")
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Headline:
    """`published_at` and `sync_id` are None before the first publish, `currency` where none is known."""

    account: str
    marketplace: str | None
    #: the account's: what all amounts are added up in (`emag_account_currency`)
    currency: str | None
    sync_id: UUID | None
    published_at: datetime | None
    #: the account's first publish: what was so then may have been so before
    known_since: datetime | None
    offers: int
    saleable: int
    #: pieces of all existing offers
    stock: Decimal
    #: pieces at their sale prices, without VAT, of offers in `currency`, and how many pieces these are
    stock_value: Decimal
    stock_valued: Decimal
    stock_in_other_currencies: Decimal
    deleted: int
    #: existing offers whose amounts are in no sum, and their currencies by name
    offers_in_other_currencies: int
    other_currencies: list[str]
    #: existing offers whose newest reading could not be represented
    quarantined: int

    @property
    def stock_without_price(self) -> Decimal:
        """Pieces of offers in `currency` that have no price, and so no value."""
        return self.stock - self.stock_valued - self.stock_in_other_currencies


def headline(database: Database, account: str) -> Headline:
    """The account's numbers, counted from the published offers; zeros for one that was never published."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        [found] = rows_of(tx.run(_SQL["headline"], account=account), Headline)
    return found


_COLUMNS = tuple(column for column in NARROW + WIDE if column != "raw")


@dataclass(frozen=True, slots=True)
class PublishedOffer:
    """One published offer, both halves. `version` changes with every write to its narrow row."""

    columns: Mapping[str, Any]
    is_deleted: bool
    version: str


def first_publish_day(database: Database) -> date | None:
    """The day (UTC) of the oldest publish of any account; None where nothing was published."""
    with database.transaction(timeout_seconds=60) as tx:
        day: date | None = tx.run(_SQL["first_publish_day"]).scalar_one()
    return day


def first_publish_days(database: Database, accounts: Sequence[str]) -> dict[str, date]:
    """The day (UTC) of the first publish of each of these accounts that was published."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(_SQL["first_publish_days"], accounts=list(accounts))
        return {row.account: row.day for row in rows if row.day is not None}


def published_offers(database: Database, account: str) -> dict[int, PublishedOffer]:
    """All published offers of an account by id, tombstoned ones too."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(_SQL["offers"].replace("{columns}", listed(_COLUMNS)), account=account).mappings()
        return {
            row["emag_offer_id"]: PublishedOffer(
                {name: row[name] for name in _COLUMNS}, row["is_deleted"], row["version"]
            )
            for row in rows
        }
