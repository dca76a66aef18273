"""`emag-pipeline export` and `report`: files for people and other programs."""

import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from emag_pipeline.admin.export import Format, Selection, export_to, format_of, print_csv, selected, writing
from emag_pipeline.cli import signals
from emag_pipeline.cli.arguments import AccountArgument, moment
from emag_pipeline.console import Narrator
from emag_pipeline.errors import PipelineError
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.wording import counted

_READER_LEFT = 1


def export(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="E.g. emag_current_offers; an unknown name lists all tables.")
    ],
    given_format: Annotated[
        Format | None, typer.Option("--format", help="The format. Default: by the ending of FILE, else csv.")
    ] = None,
    account: Annotated[str | None, typer.Option(metavar="NAME", help="Only this account's rows.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="emag_product_offers as published at that time. ISO 8601; UTC unless stated otherwise.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The file to write; mode 0600. See above for the default."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="CSV: write text unchanged; unsafe to open in a spreadsheet.")
    ] = False,
) -> None:
    """Write a table as CSV or Parquet: the state of one moment, of any size, all or nothing.

    In CSV, text that a spreadsheet would take for a formula gets an apostrophe before it; docs/how-to/export.md states
    the rule. Without --output, CSV is written to standard output unless that is a terminal, and everything else to a
    file named after the table.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # also in a script's background job, where Ctrl-C is ignored
        signal.signal(number, signals.interrupt)
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
    except BrokenPipeError:  # the reader closed the pipe, as `head` does
        Narrator().fall_silent()
        raise typer.Exit(_READER_LEFT) from None
    except PipelineError:
        Narrator().fall_silent()  # what is left in the buffer cannot be written either
        raise


def report(
    account: AccountArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The file. Default: EMAG_HOME/reports/ACCOUNT.html."),
    ] = None,
) -> None:
    """Write an account's report: one HTML file, readable offline and by its owner only (mode 0600).

    It shows what the marts show; the asset `offer_report` writes the same file after each publish. Replaces an existing
    file. Only reads the database.
    """
    from emag_pipeline.local.embedded_use import looked_into  # `export` draws no charts
    from emag_pipeline.report import facts_of, page, write
    from emag_pipeline.settings.home import directory

    settings = load_settings()
    name = settings.account(account).name
    file = output or directory(settings.home, "reports") / f"{name}.html"
    with looked_into(settings) as database:
        write(file, page(facts_of(database, name)))
    typer.echo(str(file))
