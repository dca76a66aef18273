"""Tables as CSV or Parquet, for spreadsheets and other programs: streamed, of one moment, whole or not at all."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TextIO

from emag_pipeline.db.describe import Column
from emag_pipeline.db.engine import Database
from emag_pipeline.db.export import WITH_PAST, Selection, batches, columns
from emag_pipeline.db.history import require_known
from emag_pipeline.db.readable import exportable
from emag_pipeline.errors import PermanentError, SettingsError
from emag_pipeline.operations import csv_lines
from emag_pipeline.operations.embedded_use import looked_into
from emag_pipeline.settings import Settings
from emag_pipeline.whole_file import written_at_once

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
    from emag_pipeline.operations.parquet_file import parquet_rows  # pyarrow is slow to load

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
