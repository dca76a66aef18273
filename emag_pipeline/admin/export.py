"""Tables as CSV or Parquet, for spreadsheets and other programs: streamed, of one moment, whole or not at all."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TextIO

from emag_pipeline.admin import csv_lines
from emag_pipeline.admin.history import require_known
from emag_pipeline.atomic_file import written_at_once
from emag_pipeline.errors import PermanentError, SettingsError
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.settings import Settings
from emag_pipeline.store import describe
from emag_pipeline.store.describe import Column
from emag_pipeline.store.engine import Database
from emag_pipeline.store.roles import exportable, readable

# Reading a table from end to end, a piece at a time: memory does not grow with the table.
#
# One cursor is one statement, so all its rows are of one moment, whatever is published meanwhile. It lives in one
# transaction, which PgBouncer in transaction mode leaves on one connection.

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


Format = Literal["csv", "parquet"]
_NAMED: dict[str, Format] = {".csv": "csv", ".parquet": "parquet"}
Rows = Sequence[tuple[Any, ...]]

#: Tables in which an account is known by something else than `account_type`.
_OF_A_MARKETPLACE = (
    "emag_categories", "emag_vat_rates", "emag_vat_rate_history", "emag_handling_times", "emag_reference_reads",
)  # fmt: skip
_OF_A_SUBJECT = ("emag_incidents", "emag_check_results")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    rows: int
    seconds: float


def selected(settings: Settings, table: str, account: str | None, as_of: datetime | None) -> Selection:
    """What is to be exported: a whole table, or what is an account's (of reference data: its marketplace's).

    Raises SettingsError for a table or an account that there is not. Whether a moment is known, the database says.
    """
    if table not in exportable():
        raise SettingsError(f"there is no table {table!r} to export", remedy=f"Use one of: {', '.join(exportable())}")
    moment = None if as_of is None else _past(as_of, table, account)
    if account is None:
        return Selection(table)
    known = settings.account(account)
    if table in _OF_A_MARKETPLACE:
        return Selection(table, "marketplace", known.marketplace.name)
    return Selection(table, "subject" if table in _OF_A_SUBJECT else "account_type", known.name, moment)


def _past(moment: datetime, table: str, account: str | None) -> datetime:
    if table != WITH_PAST:
        raise SettingsError(
            f"{table} keeps no past states", where="--as-of", remedy=f"Export {WITH_PAST}, or leave --as-of out"
        )
    if account is None:
        raise SettingsError("a past state is one account's", where="--as-of", remedy="Add --account NAME")
    return moment


def format_of(given: Format | None, file: Path | None) -> Format:
    """What is written: as asked for, else as the file's name ends, else CSV.

    Raises SettingsError where the name says the other one: whoever opens it later believes the name.
    """
    named = _NAMED.get(file.suffix.lower()) if file is not None else None
    if given and named and given != named:
        raise SettingsError(
            f"--format is {given}, and the file's name says {named}",
            where=str(file),
            remedy=f"Leave --format out, or name the file *.{given}",
        )
    return given or named or "csv"


def export_to(
    file: Path, settings: Settings, selection: Selection, format_: Format, *, raw: bool, force: bool
) -> Exported:
    """Write the selection into a file of mode 0600.

    Raises SettingsError as `whole_file`, and for a moment of which nothing is known; DatabaseUnavailable.
    """
    with written_at_once(file, force) as unfinished, writing(str(file)):
        if format_ == "csv":
            with unfinished.open("w", encoding="utf-8", newline="") as text:
                return print_csv(text, settings, selection, raw=raw)
        return _write_parquet(unfinished, settings, selection)


def print_csv(text: TextIO, settings: Settings, selection: Selection, *, raw: bool) -> Exported:
    """Write the selection as CSV; the stream must not translate line ends.

    Raises OSError when it takes no more; SettingsError, before anything is written, for a moment that is not known.
    """
    with looked_into(settings) as database:
        chosen = _columns(database, selection)
        text.write(csv_lines.header(column.name for column in chosen))
        return _written(batches(database, selection, chosen), lambda rows: text.write(csv_lines.lines(rows, raw=raw)))


def _columns(database: Database, selection: Selection) -> list[Column]:
    if selection.as_of is not None and selection.value is not None:
        require_known(database, selection.value, selection.as_of)
    return columns(database, selection)


def _write_parquet(file: Path, settings: Settings, selection: Selection) -> Exported:
    from emag_pipeline.admin.parquet_file import parquet_rows  # pyarrow is slow to load

    with looked_into(settings) as database:
        chosen = _columns(database, selection)
        with parquet_rows(file, chosen) as parquet:
            return _written(batches(database, selection, chosen), parquet.write)


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Raise PermanentError for an output that takes no more; a reader that left stays BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise PermanentError(
            f"{name} could not be written", why=error.strerror or str(error), remedy="Make room and begin again"
        ) from error


def _written(found: Generator[Rows], write: Callable[[Rows], object]) -> Exported:
    began, number = time.monotonic(), 0
    with closing(found):  # whatever happens, the transaction ends here
        for rows in found:
            write(rows)
            number += len(rows)
    return Exported(number, time.monotonic() - began)
