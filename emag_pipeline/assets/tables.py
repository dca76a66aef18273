"""Rows as a table beside a materialization or a check's result."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import dagster as dg


def table(rows: Sequence[Mapping[str, Any]]) -> dg.TableMetadataValue:
    """Rows of like columns, as Dagster's UI shows them; times in UTC, empty where there is nothing."""
    records = [dg.TableRecord({name: shown(value) for name, value in row.items()}) for row in rows]
    return dg.MetadataValue.table(records, schema=None if records else dg.TableSchema(columns=[]))


def shown(value: Any) -> Any:
    """A value of the database as one of those that Dagster stores."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
