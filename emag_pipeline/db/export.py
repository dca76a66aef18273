"""Reading a table from end to end, a piece at a time: memory does not grow with the table.

One cursor is one statement, so all its rows are of one moment, whatever is published meanwhile. It lives in one
transaction, which PgBouncer in transaction mode leaves on one connection.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emag_pipeline.db import describe
from emag_pipeline.db.describe import Column
from emag_pipeline.db.engine import Database
from emag_pipeline.db.readable import readable

#: Of the widest table some ten megabytes.
_ROWS_AT_ONCE = 1_000
#: So long may whoever reads the rows pause, as a person before a pager does; the server then ends the transaction.
_PAUSE_SECONDS = 900

#: The one table whose past can be asked for.
WITH_PAST = "emag_product_offers"
_HISTORY = "emag_offer_history"
#: What a past state tells beyond the history's columns.
_PRICES_WITH_VAT = (
    Column("vat_rate", "numeric(9,4)", True, "The rate at that moment, as a share of 1."),
    Column("sale_price_with_vat", "numeric(18,4)", True, "sale_price with that rate, rounded to two decimals."),
)
#: Types that are read as text: exact for JSON (whose numbers would become floats), readable for the others.
_AS_TEXT = {"jsonb": '"{0}"::text', "uuid": '"{0}"::text', "bytea": """encode("{0}", 'hex')"""}


#: Columns that readers may look at and that leave the database in no file: offers as read may hold anything.
_LEFT_OUT = {"emag_products": frozenset({"raw"})}


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of a readable table: where `column` has the value, or all; `as_of` (UTC) only with an account."""

    table: str
    column: str | None = None
    value: str | None = None
    as_of: datetime | None = None


def columns(database: Database, selection: Selection) -> list[Column]:
    """The selection's columns, in order; `raw` is left out (docs/privacy.md).

    A past state has those of the history, with the VAT rate of the moment and the price with it.
    """
    granted, left_out = readable()[selection.table], _LEFT_OUT.get(selection.table, frozenset())
    if selection.as_of:
        return [*describe.columns(database, _HISTORY), *_PRICES_WITH_VAT]
    found = describe.columns(database, selection.table)
    return [column for column in found if column.name not in left_out and (granted is None or column.name in granted)]


def batches(database: Database, selection: Selection, chosen: list[Column]) -> Generator[list[tuple[Any, ...]]]:
    """The selection's rows, so many at once, in the table's own order.

    JSON and identifiers (uuid, fingerprints) come as text. Raises DatabaseUnavailable.
    """
    listed = ", ".join(_AS_TEXT.get(column.type, '"{0}"').format(column.name) for column in chosen)
    source, parameters = _source(selection)
    with database.transaction() as tx:
        tx.run(
            """SELECT set_config('transaction_read_only', 'on', true), set_config('cursor_tuple_fraction', '1', true),
                      set_config('idle_in_transaction_session_timeout', :pause, true)""",
            pause=str(_PAUSE_SECONDS * 1000),
        )
        tx.run(f"DECLARE emag_export NO SCROLL CURSOR FOR SELECT {listed} FROM {source}", **parameters)
        while rows := tx.run(f"FETCH {_ROWS_AT_ONCE} FROM emag_export").all():
            yield [tuple(row) for row in rows]


def _source(selection: Selection) -> tuple[str, dict[str, Any]]:
    if selection.as_of is not None:
        past = """(
            SELECT h.*, v.vat_rate, round(h.sale_price * (1 + v.vat_rate), 2)::numeric(18,4) AS sale_price_with_vat
            FROM emag_offers_as_of(:value, CAST(:at AS timestamptz)) h
            LEFT JOIN emag_vat_rates_as_of(:value, CAST(:at AS timestamptz)) v USING (vat_id)
        ) past"""
        return past, {"value": selection.value, "at": selection.as_of}
    table = f"{selection.table}"
    if selection.column is None:
        return table, {}
    return f"{table} WHERE {selection.column} = :value", {"value": selection.value}
