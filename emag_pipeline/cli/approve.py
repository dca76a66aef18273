"""`emag-pipeline approve`."""

import getpass
from typing import Annotated
from uuid import UUID

import typer

from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.approval import approve as approve_sync


def approve(
    sync_id: Annotated[UUID, typer.Argument(help="The refused sync, as `status` and the run's error name it.")],
    even_if_empty: Annotated[
        bool, typer.Option("--even-if-empty", help="Approve even a scan that holds no offer to publish.")
    ] = False,
) -> None:
    """Accept a scan that the audit refused: the next run publishes it without reading its pages again.

    Covers what is a matter of judgement - many vanished offers, many rows in quarantine - and never an incomplete scan.
    Vanished offers are still asked for one by one before they are marked as deleted.
    """
    settings = load_settings()
    with looked_into(settings) as database:
        account = approve_sync(database, settings, sync_id, getpass.getuser(), even_if_empty=even_if_empty)
    now = f"emag-pipeline sync --account {account}"
    typer.echo(f"{account}: approved; the next run publishes it, by itself or now with `{now}`")
