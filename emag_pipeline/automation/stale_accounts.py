"""The sensor that refreshes what is behind: the safety net under schedules and Dagster's own retries.

An account is behind when what it published is too old, when there is none, when an approved scan waits to be published,
or when its newest sync ended without publishing. It gets one run at a time, and after failures ever later ones. What no
rerun mends is left alone until a run that somebody else started has succeeded or failed otherwise: a person's, or the
hourly schedule's, which after a permanent error costs one request and notices a cause that was removed elsewhere.

Its ticks return run requests and nothing else. Dagster 1.13.27 stores a check's evaluation outside of a run under an
empty run id, which is unique by check and partition: the second one fails the tick, and with it every request.
"""

import dagster as dg

from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.automation.jobs import refresh_offers
from emag_pipeline.automation.standings import standings
from emag_pipeline.db import ticks
from emag_pipeline.monitoring.next_try import due_seconds, is_behind, needs_a_person
from emag_pipeline.monitoring.standing import Standing
from emag_pipeline.settings import Settings, current


def why_not(standing: Standing, settings: Settings) -> str:
    """Why the account gets no run now, in a few words; empty when it gets one."""
    if standing.is_under_way:
        return "a run is under way"
    if needs_a_person(standing):
        return "waits for a person"
    if not is_behind(standing, settings):
        return "fresh"
    left = due_seconds(standing, settings)
    return f"next try in {left:.0f} s, {_last_end(standing)}" if left > 0 else ""


def _last_end(standing: Standing) -> str:
    if standing.past.is_cancelled:
        return "a person stopped the last run"
    failures = standing.past.failures
    return "the last run failed" if failures == 1 else f"the last {failures} runs failed"


@dg.sensor(
    job=refresh_offers,
    minimum_interval_seconds=round(current().monitor_interval_seconds),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests a run for each account that is behind: what it published was read longer ago than "
    "EMAG_SYNC_STALE_AFTER_HOURS, it never published, was approved and not yet published, or failed in a way that "
    "another run can mend.",
)
def stale_accounts(context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.SensorResult:
    with pipeline.database() as database:
        found = standings(database, context.instance, pipeline.settings)
        reasons = {one.account: why_not(one, pipeline.settings) for one in found}
        behind = [account for account, reason in reasons.items() if not reason]
        told = "; ".join(f"{account}: {reason}" for account, reason in reasons.items())
        requested = dg.SensorResult(
            run_requests=[dg.RunRequest(partition_key=account) for account in behind],
            skip_reason=None if behind else dg.SkipReason(told),
        )
        ticks.note(database, "stale_accounts")
    return requested
