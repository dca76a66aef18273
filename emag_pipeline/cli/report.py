"""`emag-pipeline report`."""

from pathlib import Path
from typing import Annotated

import typer

from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.report import facts_of, page, write
from emag_pipeline.settings import load_settings
from emag_pipeline.settings.home import directory


def report(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Of which account, e.g. main.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to; EMAG_HOME/reports/ACCOUNT.html unless told."),
    ] = None,
) -> None:
    """Write an account's report: one HTML file, readable offline, for its owner alone (mode 0600).

    It shows what the marts show; the asset `offer_report` writes the same after each publish. Replaces a file that is
    there. Only reads the database.
    """
    settings = load_settings()
    name = settings.account(account).name
    file = output or directory(settings.home, "reports") / f"{name}.html"
    with looked_into(settings) as database:
        write(file, page(facts_of(database, name)))
    typer.echo(str(file))
