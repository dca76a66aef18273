"""The sensor that notes what is wrong and tells it: once, and once when it is well again.

It is no `run_failure_sensor` of Dagster's: such a one sees each failure a single time, before it is known whether a
retry follows, and forgets it when its tick fails. This one looks at how things stand.
"""

import dagster as dg

from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.automation import failing_ticks, other_jobs, red_checks
from emag_pipeline.automation.standings import standings
from emag_pipeline.db import ticks
from emag_pipeline.db.incidents import forget_others
from emag_pipeline.monitoring import incidents, outbox, silence
from emag_pipeline.monitoring.next_try import LOOKS
from emag_pipeline.settings import current

#: What another installation looks after on the same database, it sees at each of its looks.
_LOOKS = 3


@dg.sensor(
    minimum_interval_seconds=round(current().monitor_interval_seconds),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Notes incidents in emag_incidents (accounts that fail, were refused or are stale; jobs, sensors and "
    "schedules that fail; red checks), and tells the webhook EMAG_ALERT_WEBHOOK_URL of each once, when no retry will "
    "follow, and once when it is over.",
)
def run_failures(context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.SkipReason:
    settings = pipeline.settings
    accounts = [account.name for account in settings.accounts]
    repository = context.repository_def
    others = other_jobs.subjects(repository) if repository else []
    with pipeline.database() as database:
        incidents.note_findings(database, standings(database, context.instance, settings), settings)
        other_jobs.note_findings(database, context.instance, others, LOOKS * settings.monitor_interval_seconds)
        looks = failing_ticks.note_findings(database, context.instance, repository) if repository else []
        red_checks.note_freshness(database, settings)
        checks = red_checks.note_findings(database, settings)
        known = [*accounts, *(one.name for one in others), *looks, *checks, silence.DAEMON]
        forget_others(database, known, unseen_seconds=_LOOKS * settings.monitor_interval_seconds)
        outbox.deliver(database, settings)
        found = incidents.open_incidents(database)
        told = "; ".join(f"{one.subject} is {one.kind}: {one.message}" for one in found) or "no incident is open"
        ticks.note(database, "run_failures")
    return dg.SkipReason(told)
