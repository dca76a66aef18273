"""`emag-pipeline status` and `exporter`: how the accounts are, for people, programs and Prometheus."""

import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from pydantic import Field
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from emag_pipeline.cli.arguments import JsonOption
from emag_pipeline.console import console
from emag_pipeline.json_output import JsonModel, Moment, json_text
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.local.status_lines import failing_checks, slowness_of, status_lines
from emag_pipeline.logs.configure import configure_service
from emag_pipeline.monitoring import silence
from emag_pipeline.monitoring.alerts import run_url
from emag_pipeline.monitoring.health import sync_troubles
from emag_pipeline.monitoring.incidents import Incident, unresolved_incidents
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.settings.accounts import SANDBOX
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.account_health import published_words
from emag_pipeline.sync.accounts import left_accounts
from emag_pipeline.sync.liveness import Trouble
from emag_pipeline.sync.status import AccountStatus, SyncProgress, account_statuses

_WATCH_SECONDS = 2.0


class DaemonSilenceJson(JsonModel):
    """Dagster's daemon does not work: no sensor has ticked for too long."""

    said: str = Field(description="What is wrong.")
    remedy: str = Field(description="What to do.")
    seconds: float = Field(description="Seconds since the last tick of any sensor.")


class RunningSyncJson(JsonModel):
    """A sync in progress."""

    sync_id: UUID = Field(description="Its id in the ledger.")
    started_at: Moment = Field(description="When it started.")
    phase: str = Field(description="What it is doing, such as `scanning` or `publishing`.")
    attempt: int = Field(description="Which attempt at this sync it is; the first is 1.")
    round: int = Field(description="Which reading of the catalogue it is; the first is 1.")
    pages_done: int = Field(description="How much of the listing is durable, in pages of 100 positions.")
    pages_expected: int | None = Field(description="The listing in pages of 100 positions; null before it is counted.")
    offers_done: int = Field(description="Offers that are durable.")
    offers_expected: int | None = Field(description="Offers of the listing; null before they are counted.")
    elapsed_seconds: float = Field(description="Seconds since this attempt started.")
    silent_seconds: float = Field(description="Seconds since its last heartbeat.")
    dagster_run_id: str | None = Field(description="The Dagster run; null if the ledger knows none.")
    obstacle: str | None = Field(description="Which call failed and when it is retried; null if none did.")
    trouble: str | None = Field(description="Why it will not end on its own; null if it will.")


class LastErrorJson(JsonModel):
    """Why the newest sync ended without publishing."""

    sync_id: UUID = Field(description="The sync.")
    error_class: str = Field(description="The error's class (docs/runbook.md).")
    message: str = Field(description="What went wrong.")
    remedy: str = Field(description="What to do.")
    at: Moment = Field(description="When it ended.")


class ApprovalJson(JsonModel):
    """A person accepted what the audit refused."""

    sync_id: UUID = Field(description="The sync that was refused.")
    by: str = Field(description="Who approved it.")
    at: Moment = Field(description="When.")


class ReducedPageJson(JsonModel):
    """Smaller pages are read because larger ones failed."""

    size: int = Field(description="Offers per page.")
    since: Moment | None = Field(description="When larger pages last failed.")


class SlowedJson(JsonModel):
    """Calls are sent more slowly because the marketplace answered 429."""

    calls_per_second: float = Field(description="The present rate, to a hundredth.")
    since: Moment = Field(description="When the last 429 came.")


class AccountJson(JsonModel):
    """One configured account."""

    account: str = Field(description="Its name.")
    is_invented: bool = Field(description="Whether its offers are the sandbox's.")
    state: str = Field(
        description="The state of its newest sync: `never synced`, `running`, `completed`, `failed`, `timeout` or "
        "`cancelled`."
    )
    last_publish_at: Moment | None = Field(description="When it last published; null before the first publish.")
    oldest_page_at: Moment | None = Field(description="When the oldest page of that publish was read; null likewise.")
    age_seconds: float | None = Field(
        description="Seconds since `oldest_page_at`: how old the data are that readers see."
    )
    offers: int = Field(description="Published offers that exist.")
    saleable: int = Field(description="Those of them that customers can buy.")
    deleted: int = Field(description="Offers confirmed as deleted.")
    quarantined: int = Field(
        description="Rows of the newest sync that could not be represented, including those of offers that were never "
        "published; `emag-pipeline rejects` lists them."
    )
    flagged: int = Field(
        description="Published offers that keep their last good state because their newest row is in quarantine."
    )
    running: RunningSyncJson | None = Field(description="The sync in progress; null if there is none.")
    last_error: LastErrorJson | None = Field(
        description="Why the newest sync ended without publishing; null if it did not."
    )
    approval: ApprovalJson | None = Field(
        description="The approval of the last publish, or of the refused sync that the next run publishes; null if "
        "there is none."
    )
    page_size: ReducedPageJson | None = Field(description="Set while smaller pages are read; else null.")
    slowed: SlowedJson | None = Field(description="Set while calls are slowed down; else null.")


class IncidentJson(JsonModel):
    """Something wrong that is not resolved."""

    subject: str = Field(
        description="What is wrong: an account; a check and what it judges, such as `published_equals_scan of main`, "
        "followed by ` on ` and the day for a check of one day (kind `red`); a job, or its runs for one partition, "
        "such as `refresh_reference of emag_ro`; a sensor or schedule, such as `sensor stale_accounts`; or `daemon`."
    )
    kind: str = Field(
        description="`failing`, `refused`, `stale`, `stuck`, `silent`, or `red` (a check of severity ERROR that does "
        "not pass)."
    )
    error_class: str | None = Field(description="The error's class; null if there is none.")
    message: str = Field(description="What is wrong.")
    remedy: str = Field(description="What to do.")
    run_url: str | None = Field(description="The Dagster run in the UI; null if there is none.")
    since: Moment = Field(description="When it began.")
    is_told: bool = Field(description="Whether the webhook has accepted the alert.")


class FailingCheckJson(JsonModel):
    """A check that does not pass (docs/checks.md)."""

    subject: str = Field(description="An account or a marketplace.")
    check: str = Field(description="The check's name.")
    part: str = Field(description="The day, for a check of one day; else empty.")
    severity: str = Field(description="`ERROR`: do not rely on the copy. `WARN`: the catalogue looks wrong.")
    said: str = Field(validation_alias="sentence", description="What it found.")
    remedy: str = Field(description="What to do.")
    findings: int | None = Field(description="How many findings; null for a check that does not count.")
    since: Moment | None = Field(validation_alias="failing_since", description="When it first failed.")
    checked_at: Moment = Field(description="When it was last evaluated.")


class StatusJson(JsonModel):
    """How everything is. With `--watch`, one such object per line, every two seconds."""

    at: Moment = Field(description="Now.")
    not_configured: list[str] = Field(description="Accounts whose offers are kept and that are not in the settings.")
    daemon: DaemonSilenceJson | None = Field(description="Set if Dagster's daemon does not work; else null.")
    accounts: list[AccountJson] = Field(description="The configured accounts.")
    incidents: list[IncidentJson] = Field(description="Open incidents, the oldest first.")
    checks: list[FailingCheckJson] = Field(description="Checks that do not pass, the oldest first.")


def status(
    as_json: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh every two seconds, until Ctrl-C.")] = False,
) -> None:
    """Show each account's last publish, running sync, and last error with its remedy.

    Only reads. If the embedded PostgreSQL is not running, it is started for the duration.
    """
    settings = load_settings()
    with looked_into(settings) as database:
        if as_json:
            _print_json(database, settings, watch)
        elif watch:
            _watch_table(database, settings)
        else:
            console().print(_picture(database, settings))


def _statuses(database: Database, settings: Settings) -> list[AccountStatus]:
    return account_statuses(database, [account.name for account in settings.accounts])


def _print_json(database: Database, settings: Settings, watch: bool) -> None:
    """Print one object per line when watching, so that a program can read each as it comes."""
    while True:
        typer.echo(json_text(status_document(database, settings), is_one_line=watch))
        if not watch:
            return
        time.sleep(_WATCH_SECONDS)


def _watch_table(database: Database, settings: Settings) -> None:
    with Live(_picture(database, settings), console=console(), auto_refresh=False) as live:
        while True:
            time.sleep(_WATCH_SECONDS)
            live.update(_picture(database, settings), refresh=True)


def _picture(database: Database, settings: Settings) -> Group:
    """The table, and below it a line for everything that a person should know."""
    statuses = _statuses(database, settings)
    return Group(_table(statuses), *map(Text, status_lines(database, settings, statuses)))


def _table(statuses: list[AccountStatus]) -> Table:
    table = Table("account", "state", "published", box=None, pad_edge=False)
    for heading in ("offers", "saleable", "deleted", "rows in quarantine"):
        table.add_column(heading, justify="right")
    for status in statuses:
        published = "never" if status.age_seconds is None else published_words(status).removeprefix("published ")
        numbers = [f"{number:,}" for number in (status.offers, status.saleable, status.deleted, status.quarantined)]
        table.add_row(status.account, status.state, published, *numbers)
    return table


def status_document(database: Database, settings: Settings) -> StatusJson:
    """What `status --json` prints. Raises the errors of the database."""
    at = datetime.now(UTC)
    silent = silence.daemon_silence(database, settings)
    troubles = sync_troubles(database, settings)
    statuses = _statuses(database, settings)
    return StatusJson(
        at=at,
        not_configured=left_accounts(database, [account.name for account in settings.accounts]),
        daemon=None if silent is None else DaemonSilenceJson.model_validate(silent),
        accounts=[_account(database, settings, one, troubles.get(one.account)) for one in statuses],
        incidents=[_incident(one, settings) for one in unresolved_incidents(database, statuses, settings)],
        checks=[FailingCheckJson.model_validate(one) for one in failing_checks(database, settings)],
    )


def _account(database: Database, settings: Settings, status: AccountStatus, trouble: Trouble | None) -> AccountJson:
    slow = slowness_of(database, settings, status.account)
    rate = round(1 / (settings.pace_seconds * slow.air), 2)
    return AccountJson(
        account=status.account,
        is_invented=settings.account(status.account).marketplace.name == SANDBOX.name,
        state=status.state,
        last_publish_at=status.last_publish_at,
        oldest_page_at=status.oldest_page_at,
        age_seconds=status.age_seconds,
        offers=status.offers,
        saleable=status.saleable,
        deleted=status.deleted,
        quarantined=status.quarantined,
        flagged=status.flagged,
        running=_running(status.running, trouble) if status.running else None,
        last_error=LastErrorJson.model_validate(status.last_error) if status.last_error else None,
        approval=ApprovalJson.model_validate(status.approval) if status.approval else None,
        page_size=ReducedPageJson(size=slow.page_size, since=slow.page_size_since) if slow.page_size else None,
        slowed=SlowedJson(calls_per_second=rate, since=slow.slowed_at) if slow.slowed_at else None,
    )


def _running(sync: SyncProgress, trouble: Trouble | None) -> RunningSyncJson:
    return RunningSyncJson(
        sync_id=sync.sync_id,
        started_at=sync.started_at,
        phase=sync.phase,
        attempt=sync.attempt,
        round=sync.round,
        pages_done=sync.pages_done,
        pages_expected=sync.pages_expected,
        offers_done=sync.offers_done,
        offers_expected=sync.offers_expected,
        elapsed_seconds=sync.elapsed_seconds,
        silent_seconds=sync.silent_seconds,
        dagster_run_id=sync.dagster_run_id,
        obstacle=sync.obstacle,
        trouble=f"{trouble.condition}: {trouble.why}" if trouble else None,
    )


def _incident(incident: Incident, settings: Settings) -> IncidentJson:
    return IncidentJson(
        subject=incident.subject,
        kind=incident.kind,
        error_class=incident.error_class,
        message=incident.message,
        remedy=incident.remedy,
        run_url=run_url(settings, incident.dagster_run_id),
        since=incident.opened_at,
        is_told=incident.told_at is not None,
    )


def exporter() -> None:
    """Serve metrics to Prometheus and answer health probes, until Ctrl-C; `up` runs it too.

    /metrics is on EMAG_SYNC_METRICS_PORT (docs/metrics.md lists the metrics). On EMAG_SYNC_HEALTH_PORT, /health is 503
    when something needs a person, and says what to do; /ready is 503 while the database cannot be read. Both ports are
    bound to EMAG_SYNC_BIND. Only reads the database, and keeps running while it is unavailable.
    """
    from emag_pipeline.local.exporter import export  # `status` needs no Prometheus client

    settings = load_settings()
    configure_service(settings)
    raise typer.Exit(export(settings, typer.echo))
