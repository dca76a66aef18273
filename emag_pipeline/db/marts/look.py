"""A mart at a glance: a few numbers, and the rows that matter most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from emag_pipeline.db.engine import Database
from emag_pipeline.db.marts.marts import DAILY_ASSORTMENT, Mart

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
