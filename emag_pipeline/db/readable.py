"""What people of the data team may read, from the one place that grants it (sql/rights.sql)."""

import re
from functools import cache

from emag_pipeline.db.sql import statements

_OURS = ("emag_alembic_version", "emag_offer_states")
_TABLE = re.compile(r"\{schema\}\.(\w+)")
_SOME_COLUMNS = re.compile(r"SELECT \(([^)]*)\)")


@cache
def readable() -> dict[str, frozenset[str] | None]:
    """The tables and views that emag_reader may read, each with the columns if not all of them are granted."""
    found: dict[str, frozenset[str] | None] = {}
    for name, statement in statements("rights.sql").items():
        if name.startswith("reader"):
            some = _SOME_COLUMNS.search(statement)
            columns = frozenset(re.findall(r"\w+", some[1])) if some else None
            found |= dict.fromkeys(_TABLE.findall(statement), columns)
    return found


def exportable() -> dict[str, frozenset[str] | None]:
    """Those of them that are meant for people; not the schema's version, nor what another one shows with its times."""
    return {table: columns for table, columns in readable().items() if table not in _OURS}
