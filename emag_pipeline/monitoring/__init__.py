"""Monitoring: metrics, health, incidents and their alerts, and the recovery of stuck syncs.

These functions use the settings of the environment:

    from emag_pipeline.monitoring import cleanup_stuck_syncs, find_stuck_syncs, get_sync_health_status
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # imported at run time only where it is used: it loads Dagster, which the exporter does not need
    from emag_pipeline.monitoring.recovery import StuckSync


def find_stuck_syncs() -> "list[StuckSync]":
    """The syncs that are stuck, dead or orphaned now, by the rule of the sensor `stuck_syncs`. Read-only.

    Raises DatabaseUnavailable, SchemaMismatch, SettingsError.
    """
    from emag_pipeline.monitoring import recovery

    return recovery.find_stuck_syncs()


def cleanup_stuck_syncs(max_age_hours: float | None = None) -> int:
    """Mark such syncs as failed, release their leases, end their Dagster runs; returns their number.

    `max_age_hours` replaces EMAG_SYNC_STUCK_THRESHOLD_HOURS: a sync without progress for that long counts as stuck; 0
    means every running sync. Dagster retries its own runs; other syncs resume with the account's next run.
    Raises DatabaseUnavailable, SchemaMismatch, SettingsError.
    """
    from emag_pipeline.monitoring import recovery

    return recovery.cleanup_stuck_syncs(max_age_hours)


def get_sync_health_status() -> dict[str, Any]:
    """Whether everything is healthy, as plain values: {at, healthy, sensors_tick, sensors, incidents, checks,
    not_configured, stopped, accounts}.

    at             time of the result, ISO 8601 in UTC
    healthy        every account is fresh, none waits for a person, no sync is stuck or dead, the sensors tick, and
                   no program of `up` is stopped
    sensors_tick   whether the daemon's sensors are running
    sensors        {sensor: seconds since its last tick, null if it never ticked}
    incidents      open incidents: [{subject, kind, what, remedy, since}]
    checks         failing checks: [{subject, check, part, severity, said, remedy, since}]
    not_configured accounts whose offers are kept although they are not in the settings
    stopped        programs of this home's `up` that were stopped (SIGSTOP): [{subject, what, remedy}]
    accounts       {account: {state, phase, last_publish_at, oldest_page_at, age_seconds, stale, trouble, error_class,
                   error, remedy}}: as in `emag-pipeline status`; age_seconds counts from oldest_page_at, when the
                   oldest page of the last publish was read; phase of the running sync or null; stale: its data was
                   read too long ago, or it has none; trouble: null, `stuck` or `dead`; error and remedy are
                   sentences, null if there is no problem

    Raises DatabaseUnavailable, SchemaMismatch, SettingsError.
    """
    from emag_pipeline.databases import attached
    from emag_pipeline.monitoring.health import health_status
    from emag_pipeline.settings import load_settings

    settings = load_settings()
    with attached(settings) as database:
        return health_status(database, settings).as_dict()
