"""Whether a mart agrees with the published offers, row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from emag_pipeline.marts.registry import DAILY_ASSORTMENT, OF_NEWEST_PUBLISH, WINDOW_DAYS, Mart
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.sync import statistics

# Which marts of which accounts do not show what is published: what the sensor `stale_marts` goes by.

#: How many past days are looked through, and how many are named at once.
MOST_DAYS = 35
MOST_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Due:
    """What an account's marts lack. `sync_id` is its newest publish, of the day `published_on` (UTC).

    `past_days` are days that are over and whose row is missing or older than the day's end, the newest first.
    """

    account: str
    sync_id: UUID
    published_on: date
    marts_are_older: bool
    assortment_is_older: bool
    past_days: Sequence[date]


def due(database: Database, accounts: Sequence[str]) -> list[Due]:
    """How the marts of each published account stand, in the order asked for."""
    with database.transaction(timeout_seconds=30) as tx:
        rows = tx.run(
            statements("marts/due.sql")["due"],
            accounts=list(accounts),
            marts=[mart.name for mart in OF_NEWEST_PUBLISH],
            assortment=DAILY_ASSORTMENT.name,
            most_days=MOST_DAYS,
            most_at_once=MOST_AT_ONCE,
        )
        return [Due(**row._mapping) for row in rows]


# A mart at a glance: a few numbers, and the rows that matter most.

_SAMPLE_ROWS = 10


@dataclass(frozen=True, slots=True)
class Look:
    """Numbers by name, and the first rows by column: most value held back, widest gap, least cover."""

    numbers: Mapping[str, Any]
    sample: Sequence[Mapping[str, Any]]


def look_at(database: Database, mart: Mart, account: str) -> Look:
    """What a mart of an account holds now; not for daily_assortment."""
    with database.transaction(timeout_seconds=60) as tx:
        numbers = tx.run(mart.statement("numbers"), account=account).mappings().one()
        sample = tx.run(mart.statement("sample"), account=account, limit=_SAMPLE_ROWS).mappings().all()
        return Look(dict(numbers), [dict(row) for row in sample])


def assortment_of(database: Database, account: str, day: date) -> Mapping[str, Any] | None:
    """The row of one day (UTC), None where there is none."""
    with database.transaction(timeout_seconds=60) as tx:
        row = tx.run(DAILY_ASSORTMENT.statement("row"), account=account, day=day).mappings().one_or_none()
        return None if row is None else dict(row)


#: Differences are counted in full; a table of more than these is read by nobody.
SAMPLE = 20


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How many differences there are, the first of them, and the totals on both sides.

    A mart that is not `is_current` shows the publish of `shown_at` (None: it was never computed), while the account's
    newest is of `newest_at`: differences mean nothing then.
    """

    newest_at: datetime
    shown_at: datetime | None
    is_current: bool
    found: int
    sample: Sequence[Mapping[str, Any]]
    numbers: Mapping[str, int]


def reconcile(database: Database, mart: Mart, account: str, day: date | None = None) -> Reconciliation | None:
    """Compare a mart of an account with its offers, of daily_assortment one day (UTC).

    None before the account's first publish.
    """
    named = statements("marts/reconcile.sql")
    sql = named["reconcile"]
    shown = "daily_assortment_shown" if mart is DAILY_ASSORTMENT else "mart_shown"
    parts = {"shown": shown, "differences": f"{mart.name}_differences", "numbers": f"{mart.name}_numbers"}
    for word, name in parts.items():
        sql = sql.replace(f"{{{word}}}", named[name])
    scope = {"account": account, "mart": mart.name, "day": day, "window_days": WINDOW_DAYS, "most": SAMPLE}
    with database.transaction() as tx:
        statistics.expect_account(tx, account)
        row = tx.run(sql, **scope).one_or_none()
    return None if row is None else Reconciliation(**row._mapping)
