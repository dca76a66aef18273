"""`emag-pipeline stuck`: what will not come to an end by itself.

The JSON is an object `{"stuck": [finding, …]}`. A finding has:

account              its name
condition            stuck: it beats without progress; dead: no heartbeat; orphaned: its Dagster run is over, or the run
                     is under way without a sync; cancelled: its run was cancelled and left the lease behind
why                  what speaks for it, a clause
sync_id              of the ledger's row, null for a run without a sync
dagster_run_id       of the run, null if the ledger knows none
pages_done, pages_expected   how far it came; the latter is null before it is known

Keys are added, never renamed.
"""

import json
from typing import Annotated, Any

import typer

from emag_pipeline.monitoring import by_hand
from emag_pipeline.monitoring.stuck import StuckSync, find
from emag_pipeline.operations.embedded_use import awake
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.liveness import Bounds


def stuck(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of lines.")] = False,
) -> None:
    """List syncs and runs that will not come to an end by themselves. Only reads.

    The sensor `stuck_syncs` looks for the same, and recovers them; `emag-pipeline recover` does it now.
    """
    settings = load_settings()
    with awake(settings), by_hand.opened(settings, complain) as (database, dagster):
        found = find(database, dagster, Bounds.of(settings))
    if as_json:
        typer.echo(json.dumps({"stuck": [as_dict(one) for one in found]}, indent=2, ensure_ascii=False))
        return
    for one in found:
        typer.echo(one.sentence)
    typer.echo("end them now with `emag-pipeline recover`" if found else "nothing is stuck")


def complain(sentence: str) -> None:
    """Say on stderr what could not be looked at or reached."""
    typer.echo(f"emag-pipeline: {sentence}", err=True)


def as_dict(found: StuckSync) -> dict[str, Any]:
    """A finding as JSON tells it."""
    return {
        "account": found.account,
        "condition": found.condition,
        "why": found.why,
        "sync_id": str(found.sync_id) if found.sync_id else None,
        "dagster_run_id": found.dagster_run_id,
        "pages_done": found.pages_done,
        "pages_expected": found.pages_expected,
    }
