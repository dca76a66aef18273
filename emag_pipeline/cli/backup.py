"""`emag-pipeline backup`."""

from pathlib import Path
from typing import Annotated

import typer

from emag_pipeline.admin.backup import backup as back_up
from emag_pipeline.console import Narrator
from emag_pipeline.local.stop_signals import StopSignals
from emag_pipeline.settings import load_settings


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to, e.g. emag.dump; mode 0600.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
) -> None:
    """Write the schema with all its tables into one file (pg_dump's custom format), while syncs go on.

    It holds one moment's state, without staging, which a sync reads anew. `restore` reads it back. Needs a pg_dump that
    is not older than the server; one comes with the package. Dagster's own database is not in it.
    """
    narrator = Narrator()
    with StopSignals() as signals:
        done = back_up(load_settings(), file, force=force, say=narrator.say, wait=signals.wait)
    narrator.say(f"{done.file}: {done.bytes / 1e6:,.1f} MB in {done.seconds:.1f} s, schema version {done.revision}")
