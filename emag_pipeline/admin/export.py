"""Tables as CSV or Parquet, for spreadsheets and other programs: streamed, of one moment, whole or not at all.

PostgreSQL writes the CSV itself (`COPY … TO STDOUT`); each column is an expression that gives its text, see `csv_text`.
Either format is read by one statement, so all its rows are of one moment, whatever is published meanwhile, and memory
does not grow with the table. PgBouncer in transaction mode leaves the transaction on one connection.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO

from emag_pipeline.admin.history import require_known
from emag_pipeline.atomic_file import written_at_once
from emag_pipeline.errors import PermanentError, SettingsError
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.settings import Settings
from emag_pipeline.store import catalog
from emag_pipeline.store.catalog import Column
from emag_pipeline.store.engine import Database
from emag_pipeline.store.roles import exportable, readable
from emag_pipeline.store.sql import filled, statements
from emag_pipeline.store.transaction import Transaction

_SQL = statements("admin/export.sql")

#: About ten megabytes of the widest table.
_ROWS_AT_ONCE = 1_000
#: For the one statement that copies a table.
_COPY_SECONDS = 6 * 3600.0
#: How long the reader of the rows may pause, e.g. a person in a pager, before the transaction is ended.
_PAUSE_SECONDS = 900

#: The one table whose past states can be exported.
WITH_PAST = "emag_product_offers"
_HISTORY = "emag_offer_history"
#: Columns of a past state in addition to the history's.
_PRICES_WITH_VAT = (
    Column("vat_rate", "numeric(9,4)", True, "The rate at that moment, as a share of 1."),
    Column("sale_price_with_vat", "numeric(18,4)", True, "sale_price with that rate, rounded to two decimals."),
)
#: Columns that readers may see but that are never exported: offers as read may contain anything.
_LEFT_OUT = {"emag_products": frozenset({"raw"})}

#: Types that Parquet does not have, or whose numbers would become floats (JSON), as text.
_AS_TEXT = {"jsonb": '"{0}"::text', "uuid": '"{0}"::text', "bytea": """encode("{0}", 'hex')"""}
#: CSV of the types that cannot hold a formula. Times are as everywhere (`wording.iso`).
_CSV = {
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision", "uuid"), '"{0}"'),
    "boolean": '"{0}"::text',
    "bytea": _AS_TEXT["bytea"],
    "date": """to_char("{0}", 'YYYY-MM-DD')""",
    "timestamp with time zone": """to_char("{0}" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
}

#: Where a spreadsheet would begin a formula: at the start of a text, and after semicolons, tabs and line breaks, since
#: it may read semicolons or tabs as separators (Excel in Romanian, Bulgarian and Hungarian does). A formula begins with
#: = + - @, also in full width, after spaces, quotes and invisible characters. Source: OWASP, "CSV Injection". Spaces
#: are listed, because PostgreSQL's own idea of them depends on the database's locale.
_BLANK = r' "\u000b\u000c\u001c-\u001f\u0085\u00a0\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff'
_SIGN = r"=+\-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = rf"(^|[;\t\r\n])([{_BLANK}]*[{_SIGN}])"


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows of a readable table: all, or those where `column` has the value; `as_of` (UTC) only with an account."""

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
        return [*catalog.columns(database, _HISTORY), *_PRICES_WITH_VAT]
    found = catalog.columns(database, selection.table)
    return [column for column in found if column.name not in left_out and (granted is None or column.name in granted)]


def batches(database: Database, selection: Selection, chosen: list[Column]) -> Generator[list[tuple[Any, ...]]]:
    """The selection's rows in batches, in the table's own order.

    JSON and identifiers (uuid, fingerprints) come as text. Raises DatabaseUnavailable.
    """
    listed = ", ".join(_AS_TEXT.get(column.type, '"{0}"').format(column.name) for column in chosen)
    source, parameters = _source(selection)
    with database.transaction() as tx:
        _begin(tx)
        tx.run(f"DECLARE emag_export NO SCROLL CURSOR FOR SELECT {listed} FROM {source}", **parameters)
        while rows := tx.run(f"FETCH {_ROWS_AT_ONCE} FROM emag_export").all():
            yield [tuple(row) for row in rows]


def csv_query(source: str, chosen: list[Column], *, raw: bool) -> tuple[str, dict[str, str]]:
    """The COPY statement that writes these columns of a source as CSV, and its parameters.

    Unless `raw`, an apostrophe is put before whatever a spreadsheet would read as the beginning of a formula, in all
    types except numbers, times, booleans and identifiers, which never need it.
    """
    listed = ", ".join(f'{_csv(column, raw=raw)} AS "{column.name}"' for column in chosen)
    query = f"COPY (SELECT {listed} FROM {source}) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')"
    return query, {"formula": _FORMULA} if ":formula" in query else {}


def _csv(column: Column, *, raw: bool) -> str:
    kind = column.type.partition("(")[0]
    if kind in _CSV:
        return _CSV[kind].format(column.name)
    text = f'to_jsonb("{column.name}")::text' if kind.endswith("[]") else f'"{column.name}"::text'
    return text if raw else filled(_SQL["without_formulas"], {"text": text})


def _begin(tx: Transaction) -> None:
    tx.run(_SQL["begin_reading"], pause=str(int(_PAUSE_SECONDS * 1000)))


def _source(selection: Selection) -> tuple[str, dict[str, Any]]:
    if selection.as_of is not None:
        return f"({_SQL['past']}) past", {"value": selection.value, "at": selection.as_of}
    if selection.column is None:
        return selection.table, {}
    return f"{selection.table} WHERE {selection.column} = :value", {"value": selection.value}


Format = Literal["csv", "parquet"]
_NAMED: dict[str, Format] = {".csv": "csv", ".parquet": "parquet"}

#: Tables that identify an account by another column than `account_type`.
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
    """What to export: a whole table, or an account's rows of it (for reference data, its marketplace's).

    Raises SettingsError for an unknown table or account. The database checks whether the moment is known.
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
            f"{table} keeps no past states", where="--as-of", remedy=f"Export {WITH_PAST}, or omit --as-of"
        )
    if account is None:
        raise SettingsError("a past state is exported for one account", where="--as-of", remedy="Add --account NAME")
    return moment


def format_of(given: Format | None, file: Path | None) -> Format:
    """The format that was asked for, else the one of the file's suffix, else CSV.

    Raises SettingsError if the two contradict each other, because the file's name would be misleading.
    """
    named = _NAMED.get(file.suffix.lower()) if file is not None else None
    if given and named and given != named:
        raise SettingsError(
            f"--format is {given}, but the file's name says {named}",
            where=str(file),
            remedy=f"Omit --format, or name the file *.{given}",
        )
    return given or named or "csv"


def export_to(
    file: Path, settings: Settings, selection: Selection, format_: Format, *, raw: bool, force: bool
) -> Exported:
    """Write the selection into a file of mode 0600.

    Raises SettingsError as `written_at_once`, and for a moment of which nothing is known; DatabaseUnavailable.
    """
    with written_at_once(file, force) as unfinished, writing(str(file)):
        if format_ == "csv":
            with unfinished.open("wb") as out:
                return _copy_csv(out, settings, selection, raw=raw)
        return _write_parquet(unfinished, settings, selection)


def print_csv(text: TextIO, settings: Settings, selection: Selection, *, raw: bool) -> Exported:
    """Write the selection as CSV, bypassing the stream's own encoding and line endings.

    Raises OSError if it accepts no more; SettingsError, before anything is written, for a moment that is not known;
    TransientError if it accepts nothing for 15 minutes.
    """
    text.flush()
    return _copy_csv(text.buffer, settings, selection, raw=raw)


def _copy_csv(out: BinaryIO, settings: Settings, selection: Selection, *, raw: bool) -> Exported:
    def write(row: bytes) -> None:
        out.write(row.removesuffix(b"\n") + b"\r\n")  # COPY ends each row it sends with \n, whatever the platform

    began = time.monotonic()
    with looked_into(settings) as database:
        chosen = _columns(database, selection)
        source, parameters = _source(selection)
        query, formula = csv_query(source, chosen, raw=raw)
        with database.transaction(timeout_seconds=_COPY_SECONDS) as tx:
            _begin(tx)
            rows = tx.copy_out(query, write, pause_seconds=_PAUSE_SECONDS, **parameters, **formula)
    return Exported(rows, time.monotonic() - began)


def _columns(database: Database, selection: Selection) -> list[Column]:
    if selection.as_of is not None and selection.value is not None:
        require_known(database, selection.value, selection.as_of)
    return columns(database, selection)


def _write_parquet(file: Path, settings: Settings, selection: Selection) -> Exported:
    from emag_pipeline.admin.parquet_file import parquet_rows  # pyarrow is slow to load

    began, number = time.monotonic(), 0
    with looked_into(settings) as database:
        chosen = _columns(database, selection)
        # whatever happens, the transaction ends here
        with parquet_rows(file, chosen) as parquet, closing(batches(database, selection, chosen)) as found:
            for rows in found:
                parquet.write(rows)
                number += len(rows)
    return Exported(number, time.monotonic() - began)


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Raise PermanentError when the output cannot be written; a reader that has gone remains a BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise PermanentError(
            f"{name} could not be written",
            why=error.strerror or str(error),
            remedy="Free some space and run the command again",
        ) from error
