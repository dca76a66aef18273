"""`emag-pipeline discard`.

The JSON is an object `{"account": …, "sync_id": …, "pages": …, "offers": …, "dry_run": …}`: whose scan it is, and what
was staged of it. Keys are added, never renamed.
"""

import getpass
import json
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.approval import Discarded
from emag_pipeline.sync.approval import discard as discard_scan
from emag_pipeline.wording import counted


def discard(
    sync_id: Annotated[UUID, typer.Argument(help="The sync, as `status` names it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be thrown away.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a line.")] = False,
) -> None:
    """Throw the staged pages of a failed or refused sync away: the next run reads the whole catalogue anew.

    What is published stays as it is, and so do the sync's row in the ledger and its quarantine. A sync that is running
    or published is left alone. Needed only where a scan is not to be resumed or approved: a sync whose audit or publish
    failed is read anew by itself.
    """
    settings = load_settings()
    with looked_into(settings) as database:
        done = discard_scan(database, sync_id, getpass.getuser(), dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps({"sync_id": str(sync_id), **asdict(done), "dry_run": dry_run}, indent=2))
    else:
        typer.echo(_words(done, sync_id, dry_run))


def _words(done: Discarded, sync_id: UUID, dry_run: bool) -> str:
    what = f"{done.account}, sync {sync_id}: {counted(done.pages, 'staged page')} with {counted(done.offers, 'offer')}"
    if dry_run:
        return f"{what} would be thrown away; the next run would read the catalogue anew"
    now = f"emag-pipeline sync --account {done.account}"
    return f"{what} are thrown away; the next run reads the catalogue anew, by itself or now with `{now}`"
