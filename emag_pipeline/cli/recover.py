"""`emag-pipeline recover`: what the sensor `stuck_syncs` does, now.

The JSON is an object `{"dry_run": …, "recovered": [finding, …], "left_alone": [finding, …]}`; a finding is one of
`emag-pipeline stuck --json`. Of those that were recovered there is also:

run_status     the Dagster run's status now, null if it was over before or could not be reached
process        null likewise, or what became of its process: none, stopped, killed or unreachable
will_retry     whether Dagster's daemon starts the run again

Keys are added, never renamed.
"""

import getpass
import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from emag_pipeline.cli.stuck import as_dict, complain
from emag_pipeline.local.embedded_use import awake
from emag_pipeline.monitoring import recovery
from emag_pipeline.monitoring.recovery import Recovered, StuckSync, find
from emag_pipeline.monitoring.recovery import recover as recover_stuck
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.liveness import Bounds


def recover(
    max_age_hours: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="H",
            help="Also end syncs that are not stuck, as cancelled, if they made no progress for so many hours; 0 ends "
            "every running sync.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of lines.")] = False,
) -> None:
    """Mark stuck syncs as failed, free their leases and end their Dagster runs, so that another attempt can go on.

    Dagster's daemon starts runs again that it has begun; anything else goes on with the account's next run. Nothing
    that is durable is lost, and a publish under way is left alone.
    """
    settings = load_settings()
    bounds = Bounds.of(settings, max_age_hours, getpass.getuser())
    with awake(settings), recovery.opened(settings, complain) as (database, dagster):
        done = [] if dry_run else recover_stuck(database, dagster, bounds)
        left = find(database, dagster, bounds)
    if as_json:
        typer.echo(json.dumps(_document(dry_run, done, left), indent=2, ensure_ascii=False))
        return
    for line in _lines(dry_run, done, left):
        typer.echo(line)


def _lines(dry_run: bool, done: Sequence[Recovered], left: Sequence[StuckSync]) -> list[str]:
    remark = "would be ended" if dry_run else "left alone: it is being written, so it lives, or it began just now"
    lines = [one.sentence for one in done] + [f"{one.sentence}; {remark}" for one in left]
    return lines or ["nothing is stuck"]


def _document(dry_run: bool, done: Sequence[Recovered], left: Sequence[StuckSync]) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "recovered": [as_dict(one.found) | _outcome(one) for one in done],
        "left_alone": [as_dict(one) for one in left],
    }


def _outcome(one: Recovered) -> dict[str, Any]:
    return {
        "run_status": one.run.status if one.run else None,
        "process": one.run.process if one.run else None,
        "will_retry": one.run is not None and one.run.will_retry,
    }
