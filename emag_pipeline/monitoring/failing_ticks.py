"""Sensors and schedules whose looks fail: each is an incident under its own name, until one ends well."""

from collections.abc import Sequence

import dagster as dg

from emag_pipeline.dagster_runs import daemon
from emag_pipeline.dagster_runs.daemon import LastTick
from emag_pipeline.dagster_runs.past_runs import UNKNOWN_ERROR, one_line
from emag_pipeline.errors import Rerun, named
from emag_pipeline.monitoring import incidents
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.store.engine import Database

#: Dagster's, when the code server is being started again; and of a tick in whose midst the daemon was ended.
PASSING = {*daemon.UNREACHABLE, "DagsterCodeLocationLoadError", daemon.NOT_STORED}
_REMEDY = (
    "Until then nothing of what it watches over is done by itself: see its ticks in Dagster's UI, under Automation; an "
    "error that names no remedy is a defect in the pipeline: report it with this line"
)


def finding(tick: LastTick) -> IncidentFinding | None:
    """What is wrong with a sensor or schedule; None when its newest look ended well.

    An error that may pass at once, as a database or code server that is being restarted, counts when the look before
    met one as well.
    """
    if tick.error is None:
        return None
    error = daemon.innermost(tick.error)
    error_class = error.cls_name or UNKNOWN_ERROR
    known = named(error_class)
    may_pass = error_class in PASSING or (known is not None and known.rerun is Rerun.AT_ONCE)
    if may_pass and tick.failures < 2:
        return None
    said = one_line(daemon.said(error))
    return IncidentFinding(
        tick.subject, "failing", f"its look at {tick.at:%H:%M:%S} UTC failed: {said}", _REMEDY, error_class
    )


def note_findings(database: Database, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> list[str]:
    """Open, renew and close the incidents of the sensors and schedules of a repository. Returns their subjects.

    Raises DatabaseUnavailable.
    """
    found = daemon.ticks_of_instance(instance, _names(repository))
    for tick in found:
        wrong = finding(tick)
        if wrong is not None:
            incidents.note(database, wrong)
        elif tick.error is None:
            incidents.close(database, tick.subject, well_at=tick.at)
    return [tick.subject for tick in found]


def _names(repository: dg.RepositoryDefinition) -> Sequence[str]:
    return [sensor.name for sensor in repository.sensor_defs] + [one.name for one in repository.schedule_defs]
