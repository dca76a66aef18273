"""`emag-pipeline stop --all`: the emergency stop.

The JSON is an object `{"dry_run", "complete", "unreached", "strays", "backfills", "runs", "leases"}`:

complete     false when something could not be reached or ended; `unreached` has a sentence for each such thing
strays       processes that were at work although no run of Dagster told of them
backfills    backfills that were cancelled
runs         [{run_id, job, account, status, process}]; process: none, stopped, killed or unreachable (dry run: null)
leases       [{account, sync_id, released}]

Keys are added, never renamed.
"""

import getpass
import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from emag_pipeline.cli.stuck import complain
from emag_pipeline.errors import SettingsError
from emag_pipeline.local.stopping import Stopped, UnderWay, stop_all, stopped_lines, under_way, under_way_lines
from emag_pipeline.settings import load_settings


def stop(
    everything: Annotated[bool, typer.Option("--all", help="Yes, everything: there is no smaller stop.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of lines.")] = False,
) -> None:
    """Emergency: cancel every queued and running run, release every lease, and wait until their processes have ended.

    Works with a dead daemon, a dead UI and a dead code server. What is durable stays; runs are not started again by
    themselves, but where `emag-pipeline up` or the daemon runs, schedules and sensors go on: stop that to keep
    everything still.
    """
    if not everything:
        raise SettingsError(
            "`stop` ends everything that is under way",
            remedy="Say so: `emag-pipeline stop --all`; a single run: in the UI",
        )
    settings = load_settings()
    accounts = [account.name for account in settings.accounts]
    if dry_run:
        found = under_way(settings)
        _print(_planned(found) if as_json else under_way_lines(found, accounts), found.unreached)
        return
    stopped = stop_all(settings, f"stopped by {getpass.getuser()} with `emag-pipeline stop --all`")
    _print(_done(stopped) if as_json else stopped_lines(stopped, accounts), stopped.unreached)
    raise typer.Exit(0 if stopped.is_complete else 1)


def _print(answer: dict[str, Any] | Sequence[str], unreached: Sequence[str]) -> None:
    for sentence in unreached:
        complain(sentence)
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False) if isinstance(answer, dict) else "\n".join(answer))


def _planned(found: UnderWay) -> dict[str, Any]:
    return {
        "dry_run": True,
        "complete": not found.unreached,
        "unreached": list(found.unreached),
        "strays": 0,
        "backfills": 0,
        "runs": [_run(run.run_id, run.job, run.account, run.status, None) for run in found.runs],
        "leases": [_lease(sync.account, str(sync.sync_id), False) for sync in found.syncs],
    }


def _done(stopped: Stopped) -> dict[str, Any]:
    return {
        "dry_run": False,
        "complete": stopped.is_complete,
        "unreached": stopped.unreached,
        "strays": stopped.strays,
        "backfills": stopped.backfills,
        "runs": [_run(run.run_id, run.job, run.account, run.status, run.process) for run in stopped.runs],
        "leases": [
            *(_lease(sync.account, str(sync.sync_id), True) for sync in stopped.released),
            *(_lease(sync.account, str(sync.sync_id), False) for sync in stopped.held),
        ],
    }


def _run(run_id: str, job: str, account: str | None, status: str, process: str | None) -> dict[str, Any]:
    return {"run_id": run_id, "job": job, "account": account, "status": status, "process": process}


def _lease(account: str, sync_id: str, released: bool) -> dict[str, Any]:
    return {"account": account, "sync_id": sync_id, "released": released}
