"""Whether a mart agrees with the published offers, row by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from emag_pipeline.db import statistics
from emag_pipeline.db.engine import Database
from emag_pipeline.db.marts.marts import DAILY_ASSORTMENT, WINDOW_DAYS, Mart
from emag_pipeline.db.sql import statements

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
