"""When each sensor last ran (emag_sensor_ticks): a daemon that is dead falls silent here.

It is noted by the sensor itself, before Dagster stores what it returned: whether that succeeded, Dagster is asked
(`dagster_runs.daemon`) by the sensor `run_failures` and by `emag-pipeline doctor`.
"""

from emag_pipeline.store.engine import Database


def note(database: Database, sensor: str) -> None:
    """Say that a sensor has just finished an evaluation, as the last thing that it does."""
    with database.transaction(timeout_seconds=30) as tx:
        tx.run(
            """INSERT INTO emag_sensor_ticks (sensor, ticked_at) VALUES (:sensor, clock_timestamp())
               ON CONFLICT (sensor) DO UPDATE SET ticked_at = excluded.ticked_at""",
            sensor=sensor,
        )


def ages(database: Database) -> dict[str, float]:
    """Seconds since each sensor's last evaluation; a sensor that never ran is missing."""
    with database.transaction(timeout_seconds=30) as tx:
        rows = tx.run(
            "SELECT sensor, extract(epoch FROM clock_timestamp() - ticked_at)::float8 AS age FROM emag_sensor_ticks"
        )
        return {row.sensor: row.age for row in rows}
