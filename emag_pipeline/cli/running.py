"""`emag-pipeline up`, `sync` and `backfill`: refresh the copy, all the time or once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from pydantic import Field

from emag_pipeline.cli.arguments import AccountsOption, chosen_accounts, day
from emag_pipeline.console import Narrator
from emag_pipeline.databases import errors_with_cause
from emag_pipeline.errors import Interrupted
from emag_pipeline.json_output import JsonModel, json_text
from emag_pipeline.local.programs import sandbox_beside
from emag_pipeline.local.progress import view_on
from emag_pipeline.local.refresh import RefreshInterrupted, RefreshOutcome, exit_code, refresh
from emag_pipeline.local.stop_signals import StopSignals
from emag_pipeline.local.surroundings import Surroundings, require_same_marketplaces, surroundings
from emag_pipeline.local.words import invented_words, outcome_words, source_words, unknown_accounts
from emag_pipeline.logs.configure import configure_service
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.sync.status import SyncProgress
from emag_pipeline.wording import goes_on


def up() -> None:
    """Start everything and keep it running until Ctrl-C.

    Uses the configured database (DATABASE_SYNC_URL) or starts the PostgreSQL that comes with the package. Uses your
    marketplace accounts (EMAG_API_USERNAME, EMAG_API_PASSWORD) or starts the sandbox. Migrates the schema, runs
    Dagster's UI and daemon, and refreshes every account automatically. If `up` is already running,
    it only prints the UI's address.
    """
    from emag_pipeline.local import up as supervisor  # only `up` supervises

    settings = load_settings()
    configure_service(settings)
    raise typer.Exit(supervisor.up(settings, Narrator()))


class SyncJson(JsonModel):
    """The sync of one account."""

    sync_id: UUID = Field(description="Its id in the ledger, `emag_offer_syncs`.")
    status: str = Field(description="`running`, `completed`, `failed`, `timeout` or `cancelled`.")
    attempt: int = Field(description="Which attempt at this sync the run was; the first is 1.")
    round: int = Field(description="Which reading of the catalogue it reached; the first is 1.")
    pages: int = Field(
        description="How much of the listing was read, in pages of 100 positions; not the number of responses, which "
        "overlap (`discard` counts those)."
    )
    offers: int = Field(description="Offers read.")
    created: int = Field(description="Offers that are new.")
    updated: int = Field(description="Offers that changed.")
    unchanged: int = Field(description="Offers that did not change.")
    deleted: int = Field(description="Offers confirmed as deleted.")
    rejected: int = Field(description="Rows that were quarantined.")
    seconds: float = Field(description="Duration of this attempt, to the millisecond.")
    offers_per_second: float | None = Field(description="Offers read per second of work; null if no time was measured.")


class SyncedAccountJson(JsonModel):
    """How one account's refresh ended."""

    account: str = Field(description="The account.")
    run_id: str = Field(description="The Dagster run.")
    exit_code: int = Field(description="The exit code that this account alone would give.")
    error: str | None = Field(description="Why it was not published and what to do, in one line; null if it was.")
    warning: str | None = Field(
        description="Why the marts, checks or reference data do not follow the published offers; null if they do. "
        "`exit_code` is not 0 then either."
    )
    sync: SyncJson | None = Field(description="The sync; null if the run never held the account's lease.")


class SyncSummaryJson(JsonModel):
    """The outcome of `emag-pipeline sync`."""

    accounts: list[SyncedAccountJson] = Field(description="The accounts refreshed.")


def sync(
    account: AccountsOption = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Read every page again, including those read by an interrupted sync.")
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print a summary as JSON (docs/json-output.md); progress goes to standard error."),
    ] = False,
) -> None:
    """Refresh accounts now: read every page, audit, publish, update the marts.

    Runs the same Dagster job as the schedules and records it in the same Dagster instance, whether or not `up` is
    running. If no database or marketplace is configured, the embedded PostgreSQL and the sandbox are started for the
    duration. Ctrl-C stops it; the next sync continues after the last durable page, or reads everything again with
    --anew.

    Each account is reported as soon as it is published. Its marts and checks follow, after the marketplace's
    categories, VAT rates and handling times have been read where they are missing or old. A failure in these later
    steps is reported and makes the exit code 1 (a retry may help) or 5 (it cannot); the offers stay published.
    """
    settings = load_settings()
    accounts = chosen_accounts(settings, account)
    narrator = Narrator(stderr=as_json)
    settings.require_marketplace()
    narrator.say(source_words(settings))
    if invented := invented_words(settings):
        narrator.say(invented)
    for what, remedy in unknown_accounts(settings):
        narrator.say(f"{what}. {remedy}.")
    try:
        done = _refresh(settings, accounts, narrator, anew=anew)
    except Interrupted as end:
        _tell_interrupted(end.done if isinstance(end, RefreshInterrupted) else (), narrator, as_json=as_json)
        end.is_told = True
        raise
    _tell(done, narrator, as_json=as_json)
    raise typer.Exit(exit_code(done))


def _refresh(settings: Settings, accounts: Sequence[str], narrator: Narrator, *, anew: bool) -> list[RefreshOutcome]:
    with (
        StopSignals() as signals,
        surroundings(settings, waits=narrator.say) as around,
        _checked(around, settings, accounts),
        sandbox_beside(settings, around.environment),
        view_on(narrator, settings.progress_interval_seconds) as view,
        errors_with_cause(settings),
    ):
        return refresh(settings, around, accounts, view.show, signals.wait, narrator.say, anew=anew)


@contextmanager
def _checked(around: Surroundings, settings: Settings, accounts: Sequence[str]) -> Iterator[None]:
    """Check before anything is started that would read a marketplace."""
    require_same_marketplaces(around.databases, settings, accounts)
    yield


def _tell(done: Sequence[RefreshOutcome], narrator: Narrator, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json_text(SyncSummaryJson(accounts=[_account(one) for one in done])))
        return
    for one in done:
        narrator.say(outcome_words(one.account, one.said, one.sync))
        for warning in one.warnings:
            narrator.say(warning)


def _tell_interrupted(done: Sequence[RefreshOutcome], narrator: Narrator, *, as_json: bool) -> None:
    """What was published before the signal is published, and reported."""
    published = [one for one in done if one.is_published]
    if as_json and done:
        _tell(done, narrator, as_json=True)
    elif published:
        _tell(published, narrator, as_json=False)
    if published and len(published) == len(done):
        narrator.say("interrupted after the publish; marts and checks follow with the next `emag-pipeline sync`")
    elif done:
        left = [one.sync for one in done if not one.is_published]
        pages = [sync.pages_left for sync in left if sync is not None]
        begins = goes_on(max(pages) if len(pages) == len(left) else None)
        narrator.say(f"interrupted; the next `emag-pipeline sync` {begins}")
    else:  # the runs did not end in time, so nothing is known about them
        narrator.say(
            "interrupted; `emag-pipeline status` shows how far it got, the next `emag-pipeline sync` continues"
        )


def _account(one: RefreshOutcome) -> SyncedAccountJson:
    return SyncedAccountJson(
        account=one.account,
        run_id=one.run_id,
        exit_code=one.exit_code,
        error=one.said or None,
        warning="; ".join(one.warnings) or None,
        sync=_sync(one.sync) if one.sync else None,
    )


def _sync(done: SyncProgress) -> SyncJson:
    worked = done.worked_seconds
    return SyncJson(
        sync_id=done.sync_id,
        status=done.status,
        attempt=done.attempt,
        round=done.round,
        pages=done.pages_done,
        offers=done.offers_done,
        created=done.offers_created,
        updated=done.offers_updated,
        unchanged=done.offers_unchanged,
        deleted=done.offers_deleted,
        rejected=done.offers_rejected,
        seconds=round(done.elapsed_seconds, 3),
        offers_per_second=round(done.offers_done / worked, 1) if worked else None,
    )


def backfill(
    first: Annotated[
        str, typer.Option("--from", metavar="DAY", help="The first day (UTC); not before the first publish.")
    ],
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day. Default: today.")] = None,
    account: AccountsOption = None,
) -> None:
    """Compute the daily assortment of past days again, from history.

    Each day of each account is a run of the job `refresh_daily_assortment`, recorded in Dagster as if it had been
    started there. Days before an account's first publish are skipped. Nothing is read from the marketplace, no offer
    changes, and a day that is already correct is not written. Safe while syncs run. Stops at the first run that fails;
    running the same command again starts over with the first day.
    """
    from emag_pipeline.local.backfill import backfill as compute_days  # loads the marts, which `sync` does without
    from emag_pipeline.local.backfill import require_days

    settings = load_settings()
    accounts = chosen_accounts(settings, account)
    days = day("--from", first), day("--to", last) if last else datetime.now(UTC).date()
    require_days(*days)
    narrator = Narrator()
    with StopSignals() as signals, surroundings(settings) as around:
        code = compute_days(settings, around, accounts, days, narrator.say, signals.wait)
    raise typer.Exit(code)
