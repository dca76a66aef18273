"""`emag-pipeline stuck`, `recover` and `stop`: find and end what does not end on its own. All need Dagster."""

import getpass
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer
from pydantic import Field

from emag_pipeline.cli.arguments import JsonOption, amount
from emag_pipeline.errors import SettingsError
from emag_pipeline.json_output import JsonModel, Tenths, json_text
from emag_pipeline.local.embedded_use import awake
from emag_pipeline.local.stopping import Stopped, UnderWay, stop_all, stopped_lines, under_way, under_way_lines
from emag_pipeline.monitoring import recovery
from emag_pipeline.monitoring.recovery import Recovered, StuckSync, find
from emag_pipeline.monitoring.recovery import recover as recover_stuck
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.liveness import Bounds, RunningSync, running_syncs


class StuckSyncJson(JsonModel):
    """A sync or a Dagster run that will not end on its own, or a healthy one that a person ends."""

    account: str = Field(description="Its account.")
    condition: str = Field(
        description="`stuck`: it has a heartbeat and makes no progress. `dead`: it has no heartbeat. `orphaned`: its "
        "Dagster run has ended, or the run is in progress without a sync. `cancelled`: its run was cancelled and left "
        "the lease behind, or it was healthy and a person ended it (`recover --max-age-hours`)."
    )
    why: str = Field(description="The evidence, a clause.")
    sync_id: UUID | None = Field(description="Its id in the ledger; null for a run without a sync.")
    dagster_run_id: str | None = Field(description="The Dagster run; null if the ledger knows none.")
    pages_done: int = Field(description="How much of the listing is durable, in pages of 100 positions.")
    pages_expected: int | None = Field(description="The listing in pages of 100 positions; null before it is counted.")


class LivingSyncJson(JsonModel):
    """A sync recorded as running, stuck or not."""

    account: str = Field(description="Its account.")
    sync_id: UUID = Field(description="Its id in the ledger.")
    dagster_run_id: str | None = Field(description="The Dagster run; null if the ledger knows none.")
    pages_done: int = Field(description="How much of the listing is durable, in pages of 100 positions.")
    pages_expected: int | None = Field(description="The listing in pages of 100 positions; null before it is counted.")
    silent_seconds: Tenths = Field(
        description="Seconds since its last heartbeat. After EMAG_SYNC_HEARTBEAT_TIMEOUT it counts as dead."
    )
    idle_seconds: Tenths = Field(
        description="Seconds since a page became durable. After EMAG_SYNC_STUCK_THRESHOLD_HOURS it counts as stuck."
    )
    obstacle: str | None = Field(
        description="What it is waiting for: a call that failed, or a locked table; null if nothing."
    )


class StuckJson(JsonModel):
    """What will not end on its own, and what is running."""

    stuck: list[StuckSyncJson] = Field(description="What `emag-pipeline recover` would end.")
    running: list[LivingSyncJson] = Field(description="All syncs recorded as running.")


def stuck(as_json: JsonOption = False) -> None:
    """List syncs and runs that will not end by themselves. Only reads.

    The sensor `stuck_syncs` looks for the same and recovers them; `emag-pipeline recover` does it now.
    """
    settings = load_settings()
    bounds = Bounds.of(settings)
    with awake(settings), recovery.opened(settings, _complain) as (database, dagster):
        found = find(database, dagster, bounds)
        running = running_syncs(database)
    if as_json:
        stuck = [StuckSyncJson.model_validate(one) for one in found]
        typer.echo(json_text(StuckJson(stuck=stuck, running=[LivingSyncJson.model_validate(one) for one in running])))
        return
    for one in found:
        typer.echo(one.sentence)
    typer.echo("end them now with `emag-pipeline recover`" if found else "nothing is stuck")
    named = {one.sync_id for one in found}
    for sync in running:
        if sync.sync_id not in named:  # `sync` would report another sync, and this command none
            typer.echo(_alive(sync, bounds))


def _alive(sync: RunningSync, bounds: Bounds) -> str:
    pages = f"page {sync.pages_done} of {sync.pages_expected}" if sync.pages_expected else "before its first page"
    met = f"; {sync.obstacle}" if sync.obstacle else ""
    return (
        f"{sync.account}: a sync is running ({pages}); its last heartbeat was {sync.silent_seconds:.0f} s ago, and "
        f"after {bounds.silent_seconds:g} s without one it counts as dead{met}"
    )


def _complain(sentence: str) -> None:
    """Report on stderr what could not be examined or reached."""
    typer.echo(f"emag-pipeline: {sentence}", err=True)


class RecoveredSyncJson(StuckSyncJson):
    """What was ended."""

    run_status: str | None = Field(
        description="The Dagster run's status now; null if it had ended before or could not be reached."
    )
    process: str | None = Field(
        description="What became of the run's process: `none`, `stopped`, `killed` or `unreachable`; null likewise."
    )
    will_retry: bool = Field(description="Whether Dagster's daemon starts the run again.")


class RecoverJson(JsonModel):
    """What `emag-pipeline recover` did."""

    dry_run: bool = Field(description="Whether it only looked.")
    recovered: list[RecoveredSyncJson] = Field(description="What was ended; empty for a dry run.")
    left_alone: list[StuckSyncJson] = Field(description="What was not ended; for a dry run, what would be.")


def recover(
    max_age_hours: Annotated[
        float | None,
        typer.Option(
            metavar="H",
            parser=amount,
            help="Also end syncs that are not stuck, as cancelled, if they made no progress for this many hours; 0 "
            "ends every running sync.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Mark stuck syncs as failed, release their leases and end their Dagster runs, so that another attempt can start.

    Runs that Dagster's daemon started are retried by it; any other sync continues with the account's next run. Nothing
    durable is lost, and a publish in progress is left alone.
    """
    settings = load_settings()
    bounds = Bounds.of(settings, max_age_hours, getpass.getuser())
    with awake(settings), recovery.opened(settings, _complain) as (database, dagster):
        done = [] if dry_run else recover_stuck(database, dagster, bounds)
        left = find(database, dagster, bounds)
    if as_json:
        left_alone = [StuckSyncJson.model_validate(one) for one in left]
        recovered = [_recovered(one) for one in done]
        typer.echo(json_text(RecoverJson(dry_run=dry_run, recovered=recovered, left_alone=left_alone)))
        return
    for line in _lines(dry_run, done, left):
        typer.echo(line)


def _lines(dry_run: bool, done: Sequence[Recovered], left: Sequence[StuckSync]) -> list[str]:
    remark = "would be ended" if dry_run else "left alone: its row is being written, so it is alive, or it just started"
    lines = [one.sentence for one in done] + [f"{one.sentence}; {remark}" for one in left]
    return lines or ["nothing is stuck"]


def _recovered(one: Recovered) -> RecoveredSyncJson:
    return RecoveredSyncJson(
        **StuckSyncJson.model_validate(one.found).model_dump(),
        run_status=one.run.status if one.run else None,
        process=one.run.process if one.run else None,
        will_retry=one.run is not None and one.run.will_retry,
    )


class StoppedRunJson(JsonModel):
    """A Dagster run that was ended, or would be."""

    run_id: str = Field(description="The run.")
    job: str = Field(description="Its job.")
    account: str | None = Field(description="Its account; null if it has none.")
    status: str = Field(description="Its status now.")
    process: str | None = Field(
        default=None,
        description="What became of its process: `none`, `stopped`, `killed` or `unreachable`; null for a dry run.",
    )


class ReleasedLeaseJson(JsonModel):
    """The lease of a running sync."""

    account: str = Field(description="The account.")
    sync_id: UUID = Field(description="The sync that holds or held it.")
    released: bool = Field(description="Whether it was released.")


class StopJson(JsonModel):
    """What `emag-pipeline stop --all` did."""

    dry_run: bool = Field(description="Whether it only looked.")
    complete: bool = Field(description="Whether everything has ended, or for a dry run, whether everything was seen.")
    unreached: list[str] = Field(description="What could not be reached, a sentence each.")
    strays: int = Field(description="Processes of runs that Dagster no longer knew and that were ended.")
    backfills: int = Field(description="Dagster backfills that were cancelled.")
    runs: list[StoppedRunJson] = Field(description="Queued and running Dagster runs.")
    leases: list[ReleasedLeaseJson] = Field(description="Leases of running syncs.")


def stop(
    everything: Annotated[bool, typer.Option("--all", help="Required: it always stops everything.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Emergency stop: cancel every queued and running run, release every lease, and wait for their processes to end.

    Works without a daemon, UI or code server. Nothing durable is lost, and cancelled runs are not retried. Where
    `emag-pipeline up` or the daemon is running, schedules and sensors start new runs: stop that first to keep
    everything still.
    """
    if not everything:
        raise SettingsError(
            "`stop` ends everything that is running",
            remedy="Confirm it with `emag-pipeline stop --all`, or end a single run in the UI",
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


def _print(answer: StopJson | Sequence[str], unreached: Sequence[str]) -> None:
    for sentence in unreached:
        _complain(sentence)
    typer.echo(json_text(answer) if isinstance(answer, StopJson) else "\n".join(answer))


def _planned(found: UnderWay) -> StopJson:
    return StopJson(
        dry_run=True,
        complete=not found.unreached,
        unreached=list(found.unreached),
        strays=0,
        backfills=0,
        runs=[StoppedRunJson.model_validate(run) for run in found.runs],
        leases=_leases(found.syncs, is_released=False),
    )


def _done(stopped: Stopped) -> StopJson:
    return StopJson(
        dry_run=False,
        complete=stopped.is_complete,
        unreached=stopped.unreached,
        strays=stopped.strays,
        backfills=stopped.backfills,
        runs=[StoppedRunJson.model_validate(run) for run in stopped.runs],
        leases=[*_leases(stopped.released, is_released=True), *_leases(stopped.held, is_released=False)],
    )


def _leases(syncs: Sequence[RunningSync], *, is_released: bool) -> list[ReleasedLeaseJson]:
    return [ReleasedLeaseJson(account=one.account, sync_id=one.sync_id, released=is_released) for one in syncs]
