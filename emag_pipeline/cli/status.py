"""`emag-pipeline status`: a table for people, JSON for programs.

The JSON is an object `{"at": time, "not_configured": [name, …], "daemon": silence, "accounts": [account, …],
"incidents": [incident, …], "checks": [check, …]}`; `not_configured` are accounts of which offers are kept and that are
not in the settings.
An account has:

account            its name
is_invented        whether its offers are the sandbox's
state              never synced, running, completed, failed, timeout or cancelled: that of its newest sync
last_publish_at    time of the last publish, null before the first
oldest_page_at     when the oldest page of that publish was read, null likewise
age_seconds        since then, null likewise: how old what readers see is
offers, saleable   published offers that exist, and those of them that can be bought
deleted            offers confirmed as gone
quarantined        rows of the newest sync that could not be represented, as `emag-pipeline rejects` lists them; also
                   those of offers that were never published
flagged            published offers that keep their last good state because their newest reading is in quarantine
running            null, or {sync_id, dagster_run_id, phase, attempt, round, started_at, pages_done, pages_expected,
                   offers_done, offers_expected, elapsed_seconds, silent_seconds, obstacle, trouble}; obstacle is null,
                   or what call failed and when it is tried again; trouble null, or why it does not go on
last_error         null, or {sync_id, error_class, message, remedy, at} of the newest sync when it ended without
                   publishing
page_size          null, or {size, since}: pages of that size are read, since larger ones failed then
slowed             null, or {calls_per_second, since}: calls leave more slowly since a 429 then
approval           null, or {sync_id, by, at}: a person accepted what the audit refused, in the last publish, or in the
                   refused sync that the next run publishes

The daemon's silence is null, or {said, remedy, seconds}: no sensor has ticked for so long.

An incident is what is wrong until it is resolved, the oldest first:

subject            an account, a job, or `daemon`
kind               failing, refused, stale, stuck, silent, or red (a check that does not pass)
error_class        the name of the error, null when there is none
message, remedy    what is wrong, what to do
run_url            the Dagster run in the UI, or null
since              when it began
is_told            whether the webhook has taken the alert

A check is one that does not pass now, the oldest first:

subject, check     an account or marketplace, and the check's name (docs/checks.md)
part               the day, where it judges one day; else empty
severity           ERROR: do not rely on the copy; WARN: the catalogue looks wrong
said, remedy       what it found, what to do
findings           how many it found, null where it does not count
since, checked_at  when it was first and last asked and did not pass

Times are ISO 8601 in UTC; numbers that are not known yet are null. Keys are added, never renamed.
"""

import json
import time
from collections.abc import Sequence, Set
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from emag_pipeline.console import console
from emag_pipeline.local import ports
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.local.words import (
    failure_words,
    invented_words,
    left_words,
    progress_words,
    slow_words,
    trouble_words,
    unstarted_words,
)
from emag_pipeline.monitoring import silence
from emag_pipeline.monitoring.alerts import run_url
from emag_pipeline.monitoring.health import sync_troubles
from emag_pipeline.monitoring.incidents import Incident, is_told_by, open_incidents
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.settings.accounts import SANDBOX
from emag_pipeline.store.check_results import CheckResult, check_results
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.account_health import published_words
from emag_pipeline.sync.accounts import left_accounts
from emag_pipeline.sync.ledger import Approval
from emag_pipeline.sync.liveness import Trouble
from emag_pipeline.sync.rate_budget import Slowness, slowness
from emag_pipeline.sync.status import NEVER_SYNCED, AccountStatus, LastError, SyncProgress, account_statuses
from emag_pipeline.wording import age, iso, iso_now

_WATCH_SECONDS = 2.0
_RUNNING = (
    "phase", "attempt", "round", "pages_done", "pages_expected", "offers_done", "offers_expected",
    "elapsed_seconds", "silent_seconds", "dagster_run_id", "obstacle",
)  # fmt: skip


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")] = False,
) -> None:
    """Show how the accounts stand: last publish, running sync, last error and what to do about it.

    Only reads. An embedded PostgreSQL that sleeps is started for as long as it takes.
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
    """One object a line when watching, so that a program can read it as it comes."""
    while True:
        document = {
            "at": iso_now(),
            "not_configured": left_accounts(database, [account.name for account in settings.accounts]),
            "daemon": _daemon(database, settings),
            "accounts": _accounts(database, settings),
            "incidents": [_incident(incident, settings) for incident in open_incidents(database)],
            "checks": [_check(result) for result in _failing_checks(database, settings)],
        }
        typer.echo(json.dumps(document, indent=None if watch else 2, ensure_ascii=False))
        if not watch:
            return
        time.sleep(_WATCH_SECONDS)


def _watch_table(database: Database, settings: Settings) -> None:
    with Live(_picture(database, settings), console=console(), auto_refresh=False) as live:
        while True:
            time.sleep(_WATCH_SECONDS)
            live.update(_picture(database, settings), refresh=True)


def _daemon(database: Database, settings: Settings) -> dict[str, Any] | None:
    found = silence.daemon_silence(database, settings)
    return None if found is None else {"said": found.said, "remedy": found.remedy, "seconds": found.seconds}


def _accounts(database: Database, settings: Settings) -> list[dict[str, Any]]:
    troubles = sync_troubles(database, settings)
    return [
        _account(one, settings, troubles.get(one.account)) | _slow(_slowness(database, settings, one.account), settings)
        for one in _statuses(database, settings)
    ]


def _slowness(database: Database, settings: Settings, name: str) -> Slowness:
    return slowness(database, name, settings.account(name).login, settings.page_size)


def _slow(found: Slowness, settings: Settings) -> dict[str, Any]:
    slowed = {"calls_per_second": round(1 / (settings.pace_seconds * found.air), 2), "since": iso(found.slowed_at)}
    return {
        "page_size": {"size": found.page_size, "since": iso(found.page_size_since)} if found.page_size else None,
        "slowed": slowed if found.slowed_at else None,
    }


def _account(status: AccountStatus, settings: Settings, trouble: Trouble | None) -> dict[str, Any]:
    return {
        "account": status.account,
        "is_invented": settings.account(status.account).marketplace.name == SANDBOX.name,
        "state": status.state,
        "last_publish_at": iso(status.last_publish_at),
        "oldest_page_at": iso(status.oldest_page_at),
        "age_seconds": status.age_seconds,
        "offers": status.offers,
        "saleable": status.saleable,
        "deleted": status.deleted,
        "quarantined": status.quarantined,
        "flagged": status.flagged,
        "running": _running(status.running, trouble) if status.running else None,
        "last_error": _error(status.last_error) if status.last_error else None,
        "approval": _approval(status.approval) if status.approval else None,
    }


def _approval(approval: Approval) -> dict[str, Any]:
    return {"sync_id": str(approval.sync_id), "by": approval.by, "at": iso(approval.at)}


def _error(error: LastError) -> dict[str, Any]:
    return {
        "sync_id": str(error.sync_id),
        "error_class": error.error_class,
        "message": error.message,
        "remedy": error.remedy,
        "at": iso(error.at),
    }


def _running(sync: SyncProgress, trouble: Trouble | None) -> dict[str, Any]:
    numbers = {name: getattr(sync, name) for name in _RUNNING}
    why = f"{trouble.condition}: {trouble.why}" if trouble else None
    return {"sync_id": str(sync.sync_id), "started_at": iso(sync.started_at), **numbers, "trouble": why}


def _incident(incident: Incident, settings: Settings) -> dict[str, Any]:
    return {
        "subject": incident.subject,
        "kind": incident.kind,
        "error_class": incident.error_class,
        "message": incident.message,
        "remedy": incident.remedy,
        "run_url": run_url(settings, incident.dagster_run_id),
        "since": iso(incident.opened_at),
        "is_told": incident.told_at is not None,
    }


def _failing_checks(database: Database, settings: Settings) -> list[CheckResult]:
    return [result for result in check_results(database, settings.subjects) if not result.passed]


def _check(result: CheckResult) -> dict[str, Any]:
    return {
        "subject": result.subject,
        "check": result.check,
        "part": result.part,
        "severity": result.severity,
        "said": result.sentence,
        "remedy": result.remedy,
        "findings": result.findings,
        "since": iso(result.failing_since),
        "checked_at": iso(result.checked_at),
    }


def _picture(database: Database, settings: Settings) -> Group:
    """The table; below it a line for each account that runs or has failed, each incident, each check that fails."""
    statuses, incidents = _statuses(database, settings), open_incidents(database)
    by_name = {status.account: status for status in statuses}
    same = {one.subject: one for one in incidents if one.subject in by_name and is_told_by(one, by_name[one.subject])}
    troubles = sync_troubles(database, settings)
    remarks = [
        (status.account, _remark(status, same.get(status.account), troubles.get(status.account), settings))
        for status in statuses
    ]
    others = [one for one in incidents if same.get(one.subject) is not one]
    told = {incident.subject for incident in incidents}
    accounts = {status.account for status in statuses}
    checks = [_check_line(one) for one in _failing_checks(database, settings) if _is_news(one, told, accounts)]
    slow = [
        Text(f"{status.account}: {failure_words(what, remedy)}")
        for status in statuses
        for what, remedy in slow_words(settings, _slowness(database, settings, status.account))
    ]
    lines = (Text(f"{name}: {text}") for name, text in remarks if text)
    invented = [Text(words)] if (words := invented_words(settings)) else []
    stopped = ports.stopped_sandbox(settings)
    frozen = [Text(f"sandbox: {failure_words(stopped.words, stopped.let_go_on)}")] if stopped else []
    left = [Text(f"{name}: {left_words(name)}") for name in left_accounts(database, [one.account for one in statuses])]
    silent = None if silence.DAEMON in told else silence.daemon_silence(database, settings)
    daemon = [] if silent is None else [Text(f"{silence.DAEMON}: {failure_words(silent.said, silent.remedy)}")]
    return Group(_table(statuses), *left, *invented, *frozen, *daemon, *lines, *slow, *map(_line, others), *checks)


def _is_news(result: CheckResult, told: Set[str], accounts: Set[str]) -> bool:
    """Whether nothing else here tells of it: no incident, its own or its account's; of staleness the account's line."""
    if result.check == "offers_are_fresh" and result.subject in accounts:
        return False
    return (result.subject if result.is_told_by_its_account else result.name) not in told


def _check_line(result: CheckResult) -> Text:
    grade = "fails" if result.severity == "ERROR" else "warns"
    return Text(f"{result.subject}: the check {result.check} {grade}: {failure_words(result.sentence, result.remedy)}")


def _table(statuses: Sequence[AccountStatus]) -> Table:
    table = Table("account", "state", "published", box=None, pad_edge=False)
    for heading in ("offers", "for sale", "gone", "rows in quarantine"):
        table.add_column(heading, justify="right")
    for status in statuses:
        published = "never" if status.age_seconds is None else published_words(status).removeprefix("published ")
        numbers = [f"{number:,}" for number in (status.offers, status.saleable, status.deleted, status.quarantined)]
        table.add_row(status.account, status.state, published, *numbers)
    return table


def _line(incident: Incident) -> Text:
    said = failure_words(incident.message, incident.remedy, incident.subject)
    return Text(f"{incident.subject}: {incident.kind} for {_since(incident)}: {said}")


def _since(incident: Incident) -> str:
    return age((datetime.now(UTC) - incident.opened_at).total_seconds())


def _remark(status: AccountStatus, incident: Incident | None, trouble: Trouble | None, settings: Settings) -> str:
    if trouble is not None:
        return failure_words(*trouble_words(trouble, status.account, status.running))
    if status.state == NEVER_SYNCED:
        return failure_words(NEVER_SYNCED, unstarted_words(settings, status.account))
    if status.running is not None:
        return progress_words(status.running)
    if status.awaits_publish:
        approved = status.approval.words if status.approval else "approved"
        return f"{approved}: the next run publishes it, or now `emag-pipeline sync --account {status.account}`"
    error = status.last_error
    if error is None:
        return f"the audit refused what is published, it was {status.approval.words}" if status.approval else ""
    since = f"{incident.kind} for {_since(incident)}: " if incident else ""
    words = since + failure_words(error.message, error.remedy, status.account)
    is_named = not error.pages_staged or str(error.sync_id) in words
    return words if is_named else f"{words} (sync {error.sync_id})"
