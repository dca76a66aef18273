"""Clean up by hand what the job `maintenance` cleans up every day: the same two functions, the same rules."""

from emag_pipeline.dagster_runs import instance, past_runs
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.retention import prune as retention
from emag_pipeline.settings import Settings


def prune(settings: Settings, days: float, *, dry_run: bool) -> dict[str, int]:
    """Remove what is older than so many days, or count it. Returns the numbers by name (`retention`, `dagster_runs`).

    Nothing is removed before both databases were reached. Raises DatabaseUnavailable, SchemaMismatch.
    """
    with looked_into(settings) as database, instance.opened(settings) as dagster:
        removed = retention.prune(database, days, dry_run=dry_run)
        return {**removed, "dagster_runs": past_runs.prune(dagster, days, dry_run=dry_run)}
