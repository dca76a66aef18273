"""The sensors that monitor the accounts: incidents and their alerts, stale accounts, stuck syncs."""

from collections.abc import Iterator

import dagster as dg

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs.past_runs import past_runs
from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.monitoring import dagster_incidents, incidents, outbox, silence
from emag_pipeline.monitoring.incidents import forget_others
from emag_pipeline.monitoring.recovery import recover
from emag_pipeline.refresh.dagster import refresh_offers
from emag_pipeline.settings import Settings, current
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.account_health import LOOKS, AccountState, due_seconds, is_behind, needs_a_person
from emag_pipeline.sync.ledger import SyncStatus
from emag_pipeline.sync.liveness import Bounds
from emag_pipeline.sync.status import account_statuses, sync_progress

# The state of all accounts now.


def account_states(database: Database, instance: dg.DagsterInstance, settings: Settings) -> list[AccountState]:
    """The state of each account, in the order of the settings.

    Dagster is asked for runs in progress first, and again at the end: a run that ends or starts in between, such as the
    retry of a killed one, then still counts as in progress and is not reported yet.
    """
    under_way = dagster_runs.accounts_under_way(instance)
    looks = [
        (status, past_runs(instance, status.account, status.last_publish_at), sync_progress(database, status.account))
        for status in account_statuses(database, [account.name for account in settings.accounts])
    ]
    under_way |= dagster_runs.accounts_under_way(instance)
    found = []
    for status, past, newest in looks:
        is_running = newest is not None and newest.status is SyncStatus.RUNNING and not past.failures
        is_under_way = status.account in under_way or past.awaits_retry or is_running
        found.append(AccountState(status, newest, past, is_under_way))
    return found


# The sensor that records incidents and delivers their alerts, once when each opens and once when it is resolved.
#
# It is not one of Dagster's `run_failure_sensor`s: those see each failure once, before it is known whether a retry
# follows, and lose it if the tick fails. This one evaluates the current state.

#: Ticks after which an incident that is no longer found is closed. Incidents of another installation on the same
#: database are renewed by its own ticks.
_UNSEEN_TICKS = 3


@dg.sensor(
    minimum_interval_seconds=round(current().monitor_interval_seconds),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Records incidents in emag_incidents (accounts that fail, were refused or are stale; jobs, sensors and "
    "schedules that fail; failing checks), and alerts the webhook EMAG_ALERT_WEBHOOK_URL once for each, when no retry "
    "will follow, and once when it is resolved.",
)
def run_failures(context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.SkipReason:
    settings = pipeline.settings
    accounts = [account.name for account in settings.accounts]
    repository = context.repository_def
    others = dagster_incidents.job_subjects(repository) if repository else []
    with pipeline.database() as database:
        incidents.note_findings(database, account_states(database, context.instance, settings), settings)
        dagster_incidents.note_failed_jobs(
            database, context.instance, others, LOOKS * settings.monitor_interval_seconds
        )
        looks = dagster_incidents.note_failing_ticks(database, context.instance, repository) if repository else []
        dagster_incidents.note_freshness(database, settings)
        checks = dagster_incidents.note_red_checks(database, settings)
        known = [*accounts, *(one.name for one in others), *looks, *checks, silence.DAEMON]
        forget_others(database, known, unseen_seconds=_UNSEEN_TICKS * settings.monitor_interval_seconds)
        outbox.deliver(database, settings)
        found = incidents.open_incidents(database)
        summary = "; ".join(f"{one.subject} is {one.kind}: {one.message}" for one in found) or "no incident is open"
        monitoring_tables.note_tick(database, "run_failures")
    return dg.SkipReason(summary)


# The sensor that refreshes accounts that are behind, in addition to schedules and Dagster's own retries.
#
# An account is behind if its last publish is too old or missing, if an approved scan waits to be published, or if its
# newest sync ended without publishing. It gets one run at a time, with growing delays after failures. After an error
# that a retry cannot fix, the sensor waits until a run started elsewhere has succeeded or failed differently: a
# person's, or that of the hourly schedule, which costs one request and detects when the cause has been removed.
#
# Its ticks return run requests and nothing else. Dagster 1.13.27 stores a check's evaluation outside of a run under an
# empty run id, which is unique by check and partition: the second one fails the tick, and with it every request.


def why_not(state: AccountState, settings: Settings) -> str:
    """Why the account gets no run now, in a few words; empty if it gets one."""
    if state.is_under_way:
        return "a run is under way"
    if needs_a_person(state):
        return "waits for a person"
    if not is_behind(state, settings):
        return "fresh"
    left = due_seconds(state, settings)
    return f"next try in {left:.0f} s, {_last_end(state)}" if left > 0 else ""


def _last_end(state: AccountState) -> str:
    if state.past.is_cancelled:
        return "a person stopped the last run"
    failures = state.past.failures
    return "the last run failed" if failures == 1 else f"the last {failures} runs failed"


@dg.sensor(
    job=refresh_offers,
    minimum_interval_seconds=round(current().monitor_interval_seconds),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests a run for each account that is behind: its data is older than EMAG_SYNC_STALE_AFTER_HOURS, "
    "it was never published, an approved scan is not yet published, or its sync failed in a way that a retry can fix.",
)
def stale_accounts(context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.SensorResult:
    with pipeline.database() as database:
        found = account_states(database, context.instance, pipeline.settings)
        reasons = {one.account: why_not(one, pipeline.settings) for one in found}
        behind = [account for account, reason in reasons.items() if not reason]
        summary = "; ".join(f"{account}: {reason}" for account, reason in reasons.items())
        requested = dg.SensorResult(
            run_requests=[dg.RunRequest(partition_key=account) for account in behind],
            skip_reason=None if behind else dg.SkipReason(summary),
        )
        monitoring_tables.note_tick(database, "stale_accounts")
    return requested


# The sensor that ends syncs which will not end on their own, so that the next attempt can start.


@dg.sensor(
    minimum_interval_seconds=round(current().monitor_interval_seconds),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Ends syncs that make no progress (EMAG_SYNC_STUCK_THRESHOLD_HOURS), have no heartbeat "
        "(EMAG_SYNC_HEARTBEAT_TIMEOUT) or whose process or run has ended, and runs without a sync; Dagster retries the "
        "run, which resumes."
    ),
)
def stuck_syncs(context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]) -> Iterator[dg.SkipReason]:
    settings = pipeline.settings
    accounts = [account.name for account in settings.accounts]
    with pipeline.database() as database:
        sentences = [one.sentence for one in recover(database, context.instance, Bounds.of(settings), accounts)]
        for sentence in sentences:
            context.log.warning(sentence)
        monitoring_tables.note_tick(database, "stuck_syncs")
    yield dg.SkipReason(". ".join(sentences) or "no running sync is stuck")
