"""`emag-pipeline restore`."""

from pathlib import Path
from typing import Annotated

import typer

from emag_pipeline.admin.restore import restore as restore_file
from emag_pipeline.console import Narrator
from emag_pipeline.settings import load_settings
from emag_pipeline.wording import counted


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `emag-pipeline backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of the data that are there.")] = False,
) -> None:
    """Fill the schema DB_SCHEMA from a backup, all or nothing: readers see the old state until it is there.

    An older backup is migrated on the way, one of a newer version is refused; so is a target that holds data (without
    --replace), and any while a sync runs. Also into a schema of another name, or a database of another server.
    """
    narrator = Narrator()
    done = restore_file(load_settings(), file, replace=replace, say=narrator.say)
    version = done.now_at if done.now_at == done.revision else f"{done.revision}, migrated to {done.now_at}"
    narrator.say(f"restored {counted(done.rows, 'row')} in {done.seconds:.1f} s, schema version {version}")
    narrator.say("the next sync goes on from there; Dagster's own history of runs was not touched")
