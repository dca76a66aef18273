"""Opens Dagster's instance from the settings, for code that does not get it from Dagster."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid5

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster_postgres import PostgresRunStorage

from emag_pipeline.databases import dagster_url, with_cause
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import DAGSTERS, Database
from emag_pipeline.store.server import incarnation

Instance = dg.DagsterInstance


@contextmanager
def opened(settings: Settings) -> Iterator[Instance]:
    """The instance that `up`, the daemon and all runs share: that of DAGSTER_HOME if it is set, else of EMAG_HOME.

    Raises DatabaseUnavailable if Dagster's database cannot be reached, PermanentError if it refuses the login or does
    not exist yet.
    """
    url = dagster_url(settings)
    reference = _reference(home_of(settings), url, settings)
    _require_reachable(settings, url)
    with Instance.from_ref(reference) as instance:
        yield instance


def home_of(settings: Settings) -> Path:
    """The directory of dagster.yaml."""
    given = os.environ.get("DAGSTER_HOME")
    return Path(given) if given else settings.home.resolve() / "dagster"


def _require_reachable(settings: Settings, url: str) -> None:
    """Fail at once with the reason; Dagster would try for ten seconds and then report little."""
    database = Database(url, whose=DAGSTERS, pool_size=1)
    try:
        with database.transaction(timeout_seconds=10):
            pass
    except DatabaseUnavailable as error:
        away = DatabaseUnavailable(
            "Dagster's database cannot be used",
            why=error.why or error.what,
            remedy="Start it, or correct DAGSTER_PG_URL",
        )
        raise with_cause(settings, away, of_dagster=True) from error
    finally:
        database.close()


def _reference(home: Path, url: str, settings: Settings) -> InstanceRef:
    """The configuration of dagster.yaml with its variables replaced here, so that this process need not have them."""
    if not home.is_dir():
        raise DatabaseUnavailable(
            "Dagster was never started here",
            where=f"Dagster home {home}",
            remedy="Check EMAG_HOME and DAGSTER_HOME, or start everything with `emag-pipeline up`",
        )
    logs = os.environ.get("DAGSTER_LOGS_DIR", str(home / "run-logs"))
    artifacts = os.environ.get("DAGSTER_ARTIFACTS_DIR", str(home / "artifacts"))
    return InstanceRef.from_dir(
        str(home),
        overrides={
            "storage": {
                "custom": {
                    "module": "emag_pipeline.dagster_runs.storage",  # imported lazily
                    "class": "Storage",
                    "config": {"postgres_url": url},
                }
            },
            "compute_logs": {
                "module": "dagster._core.storage.local_compute_log_manager",
                "class": "LocalComputeLogManager",
                "config": {"base_dir": logs},
            },
            # nothing else: only the daemon, which takes runs from the queue, needs the rest
            "run_queue": {"max_concurrent_runs": settings.concurrent_runs},
            "local_artifact_storage": {
                "module": "dagster._core.storage.root",
                "class": "LocalArtifactStorage",
                "config": {"base_dir": artifacts},
            },
        },
    )


# The identity of the Dagster instance, so that no other instance judges its runs.
#
# Dagster 1.13.27 generates an id for its run storage on first use and stores it there (`get_run_storage_id`), so an
# emptied database gets a new one. A copy of the database has the same id and the runs of the time of the copy, so the
# identity also includes the database.

#: Where Dagster stores its id.
_TABLE = "instance_info"


def identity_of(instance: Instance) -> str | None:
    """The instance's identity, which differs from any copy's and from a former content's; None if it has none.

    Raises DatabaseUnavailable if Dagster's database cannot be queried.
    """
    storage = instance.run_storage
    if not isinstance(storage, SqlRunStorage):
        return None
    storage.get_run_storage_id()
    own = (
        storage.get_run_storage_id()
    )  # read again: if two processes generated one at the same time, both read the same one
    if not isinstance(storage, PostgresRunStorage):
        return own
    database = Database(storage.postgres_url, whose=DAGSTERS, pool_size=1)
    try:
        return str(uuid5(UUID(own), incarnation(database, _TABLE)))
    finally:
        database.close()
