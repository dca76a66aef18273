"""`emag-pipeline stuck`: what will not come to an end by itself.

The JSON is an object `{"stuck": [finding, …], "running": [sync, …]}`. A finding has:

account              its name
condition            stuck: it beats without progress; dead: no heartbeat; orphaned: its Dagster run is over, or the run
                     is under way without a sync; cancelled: its run was cancelled and left the lease behind
why                  what speaks for it, a clause
sync_id              of the ledger's row, null for a run without a sync
dagster_run_id       of the run, null if the ledger knows none
pages_done, pages_expected   how far it came; the latter is null before it is known

A running sync, stuck or not, has account, sync_id, dagster_run_id, pages_done and pages_expected too, and

silent_seconds       since its last heartbeat; without one for EMAG_SYNC_HEARTBEAT_TIMEOUT it is dead
idle_seconds         since a page became durable; without one for EMAG_SYNC_STUCK_THRESHOLD_HOURS it is stuck
obstacle             null, or what keeps it waiting: a call that failed, a table that somebody holds

Keys are added, never renamed.
"""

import json
from typing import Annotated, Any

import typer

from emag_pipeline.local.embedded_use import awake
from emag_pipeline.monitoring import recovery
from emag_pipeline.monitoring.recovery import StuckSync, find
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.liveness import Bounds, RunningSync, running_syncs


def stuck(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of lines.")] = False,
) -> None:
    """List syncs and runs that will not come to an end by themselves. Only reads.

    The sensor `stuck_syncs` looks for the same, and recovers them; `emag-pipeline recover` does it now.
    """
    settings = load_settings()
    bounds = Bounds.of(settings)
    with awake(settings), recovery.opened(settings, complain) as (database, dagster):
        found = find(database, dagster, bounds)
        running = running_syncs(database)
    if as_json:
        told = {"stuck": [as_dict(one) for one in found], "running": [_running(one) for one in running]}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for one in found:
        typer.echo(one.sentence)
    typer.echo("end them now with `emag-pipeline recover`" if found else "nothing is stuck")
    named = {one.sync_id for one in found}
    for sync in running:
        if sync.sync_id not in named:  # or `sync` would say that another one runs, and this command that nothing is
            typer.echo(_alive(sync, bounds))


def _alive(sync: RunningSync, bounds: Bounds) -> str:
    pages = f"page {sync.pages_done} of {sync.pages_expected}" if sync.pages_expected else "before its first page"
    met = f"; {sync.obstacle}" if sync.obstacle else ""
    return (
        f"{sync.account}: a sync runs ({pages}); its last heartbeat was {sync.silent_seconds:.0f} s ago, and without "
        f"one for {bounds.silent_seconds:g} s it counts as dead{met}"
    )


def _running(sync: RunningSync) -> dict[str, Any]:
    return {
        "account": sync.account,
        "sync_id": str(sync.sync_id),
        "dagster_run_id": sync.dagster_run_id,
        "pages_done": sync.pages_done,
        "pages_expected": sync.pages_expected,
        "silent_seconds": round(sync.silent_seconds, 1),
        "idle_seconds": round(sync.idle_seconds, 1),
        "obstacle": sync.obstacle,
    }


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
