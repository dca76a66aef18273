"""How the pipeline fares, for every program that asks: figures from the database, and the way out of trouble.

The three functions work with the settings of the environment:

    from emag_pipeline.monitoring import cleanup_stuck_syncs, find_stuck_syncs, get_sync_health_status
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # at run time where it is used: with it comes Dagster, which the exporter need not load
    from emag_pipeline.monitoring.recovery import StuckSync


def find_stuck_syncs() -> "list[StuckSync]":
    """The syncs that are stuck, dead or orphaned now, by the same rule as the sensor `stuck_syncs`. Changes nothing.

    Raises DatabaseUnavailable, SchemaMismatch, SettingsError.
    """
    from emag_pipeline.monitoring import recovery as by_hand

    return by_hand.find_stuck_syncs()


def cleanup_stuck_syncs(max_age_hours: float | None = None) -> int:
    """Mark such syncs as failed, free their leases, end their Dagster runs; returns how many it were.

    `max_age_hours` stands for EMAG_SYNC_STUCK_THRESHOLD_HOURS: also a sync that made no progress for so long counts;
    0 means every running sync. Dagster retries what it has begun; anything else goes on with the account's next run.
    Raises DatabaseUnavailable, SchemaMismatch, SettingsError.
    """
    from emag_pipeline.monitoring import recovery as by_hand

    return by_hand.cleanup_stuck_syncs(max_age_hours)


def get_sync_health_status() -> dict[str, Any]:
    """Whether all is well, as plain values: {at, healthy, sensors_tick, sensors, incidents, checks,
    not_configured, stopped, accounts}.

    at             time of the answer, ISO 8601 in UTC
    healthy        every account is fresh, none waits for a person, no sync is stuck or dead, the sensors tick, and
                   no program of `up` is stopped
    sensors_tick   the daemon's sensors look after the accounts
    sensors        {sensor: seconds since its last tick, null if it never ticked}
    incidents      what was noted and is not resolved: [{subject, kind, what, remedy, since}]
    checks         checks that do not pass: [{subject, check, part, severity, said, remedy, since}]
    not_configured names of accounts of which offers are kept, and that are not in the settings
    stopped        programs of this home's `up` that somebody has stopped (SIGSTOP): [{subject, what, remedy}]
    accounts       {account: {state, phase, last_publish_at, oldest_page_at, age_seconds, stale, trouble, error_class,
                   error, remedy}}: as in `emag-pipeline status`; age_seconds counts from oldest_page_at, when the
                   oldest page of the last publish was read; phase of the running sync or null; stale: what it shows was
                   read too long ago, or it shows nothing; trouble: null, `stuck` or `dead`; error and remedy in
                   words, null when nothing is wrong

    Raises DatabaseUnavailable, SchemaMismatch, SettingsError.
    """
    from emag_pipeline.databases import attached
    from emag_pipeline.monitoring.health import health_status
    from emag_pipeline.settings import load_settings

    settings = load_settings()
    with attached(settings) as database:
        return health_status(database, settings).as_dict()
