"""The last days of an account, from emag_daily_assortment."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from emag_pipeline.store.engine import Database
from emag_pipeline.sync.published import TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class Day:
    """The figures of one day's end, or of the last publish while the day is not over."""

    day: date
    offers: int
    saleable_offers: int
    saleable_share: Decimal | None
    stock: Decimal
    stock_value: Decimal
    median_price: Decimal | None
    currency: str | None
    #: None on the first day, before which nothing was known
    arrivals: int | None
    departures: int
    price_rises: int
    price_cuts: int
    #: None where the ledger no longer told it when the day was computed
    publishes: int | None
    last_published_at: datetime | None
    is_carried_forward: bool | None


def days(database: Database, account: str, days: int = 30, until: date | None = None) -> list[Day]:
    """The newest known day of the account (not after `until`) and those before it, `days` at most, the oldest first.

    Some of them may be missing.
    """
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            """WITH known AS (
                   SELECT * FROM emag_daily_assortment
                   WHERE account_type = :account AND day <= coalesce(CAST(:until AS date), 'infinity')
               )
               SELECT day, offers, saleable_offers, saleable_share, stock, stock_value, median_price,
                      currency, arrivals, departures, price_rises, price_cuts, publishes, last_published_at,
                      is_carried_forward
               FROM known
               WHERE day > (SELECT max(day) FROM known) - CAST(:days AS integer)
               ORDER BY day""",
            account=account,
            days=days,
            until=until,
        )
        return [Day(**row._mapping) for row in rows]


def newest(database: Database, account: str) -> date | None:
    """The newest day of the account that is known."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        found: date | None = tx.run(
            "SELECT max(day) FROM emag_daily_assortment WHERE account_type = :account", account=account
        ).scalar_one()
    return found
