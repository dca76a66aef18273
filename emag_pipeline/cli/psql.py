"""`emag-pipeline psql`: PostgreSQL's own shell on the pipeline's database."""

from typing import Annotated

import typer

from emag_pipeline.admin.postgres_programs import connection_values, open_psql
from emag_pipeline.settings import load_settings

#: What is no option of this command is psql's.
CONTEXT = {"ignore_unknown_options": True}


def psql(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ARGUMENT…]", help="For psql itself, e.g. -c 'SELECT …'; behind -- also -h and --help."
        ),
    ] = None,
    print_only: Annotated[
        bool, typer.Option("--print", help="Print instead how a BI tool reaches the database, as a reader.")
    ] = False,
) -> None:
    """Open psql on the database with the offers, the embedded or the configured one.

    An embedded server that sleeps is started for as long as it takes. Tables of the embedded database can be named
    without their schema; on the embedded server it opens as its superuser, `--print` names the reader.
    Ends with psql's own exit code: 0 done, 1 psql failed, 2 connection lost, 3 error in a script.
    """
    settings = load_settings()
    if print_only:
        values, remark = connection_values(settings)
        for name, value in values.items():
            typer.echo(f"{name:9} {value}")
        typer.echo(remark, err=True)
    else:
        raise typer.Exit(open_psql(settings, arguments or []))
