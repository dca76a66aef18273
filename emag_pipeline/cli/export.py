"""`emag-pipeline export`."""

import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from emag_pipeline.admin.export import Format, Selection, export_to, format_of, print_csv, selected, writing
from emag_pipeline.cli import early
from emag_pipeline.cli.moments import moment
from emag_pipeline.console import Narrator
from emag_pipeline.errors import PipelineError
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.wording import counted

_READER_LEFT = 1


def export(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="E.g. emag_current_offers; a wrong name lists all.")],
    given_format: Annotated[
        Format | None, typer.Option("--format", help="What to write. Default: as FILE ends, else csv.")
    ] = None,
    account: Annotated[str | None, typer.Option(metavar="NAME", help="Only this account's rows.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="emag_product_offers as published then; ISO 8601, UTC if nothing else is said."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; mode 0600. CSV: else to a pipe.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="CSV: texts as they are, unsafe to open in a spreadsheet.")
    ] = False,
) -> None:
    """Write a table as CSV or Parquet: of one moment, of any size, whole or not at all.

    In CSV a text that a spreadsheet would take for a formula gets an apostrophe before it; docs/how-to/export.md has
    the rule. Without --output, CSV goes to standard output when that is no terminal, else to a file named after the
    table.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a script's background job ignores Ctrl-C
        signal.signal(number, early.interrupt)
    settings = load_settings()
    selection = selected(settings, table, account, moment("--as-of", as_of))
    format_ = format_of(given_format, output)
    if output is None and format_ == "csv" and not sys.stdout.isatty():
        _to_pipe(settings, selection, raw)
        return
    file = output or Path(f"{table}{'-' + account if account else ''}.{format_}")
    done = export_to(file, settings, selection, format_, raw=raw, force=force)
    size = file.stat().st_size / 1e6
    Narrator(stderr=True).say(f"{file}: {counted(done.rows, 'row')}, {size:,.1f} MB in {done.seconds:.1f} s")


def _to_pipe(settings: Settings, selection: Selection, raw: bool) -> None:
    assert isinstance(sys.stdout, TextIOWrapper)  # noqa: S101
    sys.stdout.reconfigure(encoding="utf-8", newline="")
    try:
        with writing("standard output"):
            print_csv(sys.stdout, settings, selection, raw=raw)
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough, as `head` does
        Narrator().fall_silent()
        raise typer.Exit(_READER_LEFT) from None
    except PipelineError:
        Narrator().fall_silent()  # what is left in the buffer cannot be written either
        raise
