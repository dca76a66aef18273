"""The sentences below the table of `emag-pipeline status`: one per noteworthy fact, without duplicates."""

from collections.abc import Sequence, Set
from datetime import UTC, datetime

from emag_pipeline import running_up
from emag_pipeline.local import ports
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
from emag_pipeline.monitoring.health import sync_troubles
from emag_pipeline.monitoring.incidents import Incident, is_reported_by, unresolved_incidents
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import CheckResult, check_results
from emag_pipeline.sync.accounts import left_accounts, of_another_host
from emag_pipeline.sync.liveness import Trouble
from emag_pipeline.sync.rate_budget import Slowness, slowness
from emag_pipeline.sync.status import NEVER_SYNCED, AccountStatus
from emag_pipeline.wording import age


def failing_checks(database: Database, settings: Settings) -> list[CheckResult]:
    """The failing checks, the oldest first."""
    return [result for result in check_results(database, settings.subjects) if not result.passed]


def slowness_of(database: Database, settings: Settings, account: str) -> Slowness:
    """What makes the account's syncs slower than its settings allow."""
    return slowness(database, account, settings.account(account).login, settings.page_size)


def status_lines(database: Database, settings: Settings, statuses: Sequence[AccountStatus]) -> list[str]:
    """What is running, what failed and what to do, in the order in which `status` prints it.

    Left out are an incident that a publish has ended since or that only repeats its account's last error, and a check
    that only repeats an incident.
    """
    incidents = unresolved_incidents(database, statuses, settings)
    by_name = {status.account: status for status in statuses}
    same = {
        one.subject: one for one in incidents if one.subject in by_name and is_reported_by(one, by_name[one.subject])
    }
    reported = {incident.subject for incident in incidents}
    troubles = sync_troubles(database, settings)
    remarks = [
        (status.account, _remark(status, same.get(status.account), troubles.get(status.account), settings))
        for status in statuses
    ]
    return [
        *_surroundings(database, settings, by_name.keys(), reported),
        *(f"{account}: {remark}" for account, remark in remarks if remark),
        *(
            f"{account}: {failure_words(what, remedy)}"
            for account in by_name
            for what, remedy in slow_words(settings, slowness_of(database, settings, account))
        ),
        *(_incident_line(one) for one in incidents if same.get(one.subject) is not one),
        *(_check_line(one) for one in failing_checks(database, settings) if _is_news(one, reported, by_name.keys())),
    ]


def _surroundings(database: Database, settings: Settings, accounts: Set[str], reported: Set[str]) -> list[str]:
    """Facts that are not about a configured account: accounts no longer configured, the sandbox, the daemon."""
    lines = [f"{name}: {left_words(name)}" for name in left_accounts(database, list(accounts))]
    for account in settings.accounts:
        if other := of_another_host(database, account):
            lines.append(f"{account.name}: {failure_words(other.what, other.remedy)}")
    if words := invented_words(settings):
        lines.append(words)
    if left := running_up.left_behind(settings.home):
        lines.append(failure_words(left.said, left.remedy))
    if stopped := ports.stopped_sandbox(settings):
        lines.append(f"sandbox: {failure_words(stopped.words, stopped.how_to_resume)}")
    silent = None if silence.DAEMON in reported else silence.daemon_silence(database, settings)
    if silent is not None:
        lines.append(f"{silence.DAEMON}: {failure_words(silent.said, silent.remedy)}")
    return lines


def _remark(status: AccountStatus, incident: Incident | None, trouble: Trouble | None, settings: Settings) -> str:
    """The most important remark about an account; empty if there is no problem."""
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


def _incident_line(incident: Incident) -> str:
    said = failure_words(incident.message, incident.remedy, incident.subject)
    return f"{incident.subject}: {incident.kind} for {_since(incident)}: {said}"


def _since(incident: Incident) -> str:
    return age((datetime.now(UTC) - incident.opened_at).total_seconds())


def _is_news(result: CheckResult, reported: Set[str], accounts: Set[str]) -> bool:
    """Whether nothing else reports it: no incident of the check or its account; for staleness, not the table either."""
    if result.check == "offers_are_fresh" and result.subject in accounts:
        return False
    return (result.subject if result.is_reported_by_its_account else result.name) not in reported


def _check_line(result: CheckResult) -> str:
    grade = "fails" if result.severity == "ERROR" else "warns"
    return f"{result.subject}: the check {result.check} {grade}: {failure_words(result.sentence, result.remedy)}"
