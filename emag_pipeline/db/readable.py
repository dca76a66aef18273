"""What people of the data team may read, from the one place that grants it (sql/rights.sql)."""

import re
from functools import cache

from emag_pipeline.db.sql import statements

_TABLE = re.compile(r"\{schema\}\.(emag_\w+)")
_SOME_COLUMNS = re.compile(r"GRANT SELECT \(([^)]+)\)\s+ON \{schema\}\.(emag_\w+)")


@cache
def readable() -> dict[str, frozenset[str] | None]:
    """The tables and views that emag_reader may read, each with the columns if not all of them are granted."""
    whole = dict.fromkeys(_TABLE.findall(statements("rights.sql")["reader"]))
    part = _SOME_COLUMNS.findall(statements("rights.sql")["reader_of_rejects"])
    return whole | {table: frozenset(re.findall(r"\w+", columns)) for columns, table in part}
