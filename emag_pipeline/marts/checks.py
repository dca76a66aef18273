"""The content of a mart, whether it shows the newest publish, and whether it agrees with the offers row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from emag_pipeline.marts.registry import DAILY_ASSORTMENT, OF_NEWEST_PUBLISH, Mart
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import row_of, rows_of
from emag_pipeline.store.sql import filled, fragments, statements
from emag_pipeline.sync import statistics

#: Past days that are searched for missing rows, and how many of them are requested at once.
MOST_DAYS = 35
MOST_AT_ONCE = 5
_SAMPLE_ROWS = 10
#: All differences are counted; a table of more rows than this is not useful.
SAMPLE = 20


@dataclass(frozen=True, slots=True)
class Due:
    """What is missing in an account's marts. `sync_id` is its newest publish, of the day `published_on` (UTC).

    `past_days` are past days whose row is missing or older than the day's end, the newest first.
    """

    account: str
    sync_id: UUID
    published_on: date
    marts_are_older: bool
    assortment_is_older: bool
    past_days: Sequence[date]


def due(database: Database, accounts: Sequence[str], marts: Sequence[Mart] = OF_NEWEST_PUBLISH) -> list[Due]:
    """What is missing in the marts of each published account, in the given order, for the sensor `stale_marts`."""
    with database.transaction(timeout_seconds=30) as tx:
        rows = tx.run(
            statements("marts/due.sql")["due"],
            accounts=list(accounts),
            marts=[mart.name for mart in marts],
            assortment=DAILY_ASSORTMENT.name,
            most_days=MOST_DAYS,
            most_at_once=MOST_AT_ONCE,
        )
        return rows_of(rows, Due)


@dataclass(frozen=True, slots=True)
class Look:
    """Figures by name (empty if there is no row), and the most important rows, if the mart has a `sample`."""

    numbers: Mapping[str, Any]
    sample: Sequence[Mapping[str, Any]]


def look_at(database: Database, mart: Mart, account: str, day: date | None = None) -> Look:
    """The current content of an account's mart; for a mart by day, that of one day (UTC)."""
    with database.transaction(timeout_seconds=60) as tx:
        numbers = tx.run(mart.statement("numbers"), account=account, day=day).mappings().one_or_none()
        sample = mart.statements.get("sample")
        rows = tx.run(sample, account=account, day=day, limit=_SAMPLE_ROWS).mappings().all() if sample else ()
        return Look(dict(numbers or {}), [dict(row) for row in rows])


def assortment_of(database: Database, account: str, day: date) -> Mapping[str, Any] | None:
    """The row of one day (UTC), None if there is none."""
    return look_at(database, DAILY_ASSORTMENT, account, day).numbers or None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How many differences there are, the first of them, and the totals on both sides.

    A mart that is not `is_current` shows the publish of `shown_at` (None: it was never computed), while the account's
    newest is of `newest_at`; its differences are then meaningless.
    """

    newest_at: datetime
    shown_at: datetime | None
    is_current: bool
    found: int
    sample: Sequence[Mapping[str, Any]]
    numbers: Mapping[str, int]


def reconcile(database: Database, mart: Mart, account: str, day: date | None = None) -> Reconciliation | None:
    """Compare a mart of an account with its offers; for a mart by day, one day (UTC).

    None before the account's first publish.
    """
    named = statements("marts/reconcile.sql")
    words = {
        "newest": fragments("marts/merge.sql")["newest"],
        "shown": named["shown_on_day" if mart.is_by_day else "shown"],
        "differences": mart.statement("differences"),
        "totals": mart.statement("totals"),
        "table": mart.table,
    }
    scope = {**mart.parameters, "account": account, "mart": mart.name, "day": day, "most": SAMPLE}
    with database.transaction() as tx:
        statistics.expect_account(tx, account)
        return row_of(tx.run(filled(named["reconcile"], words), **scope), Reconciliation)
