"""What the sensor does by itself, asked for by a person or a program: with databases that may be half reachable."""

import getpass
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from emag_pipeline.dagster_runs import instance
from emag_pipeline.dagster_runs.instance import Instance
from emag_pipeline.databases import attached
from emag_pipeline.errors import PipelineError
from emag_pipeline.monitoring.recovery import StuckSync, find, recover
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.liveness import Bounds

log = logging.getLogger(__name__)


@contextmanager
def opened(settings: Settings, complain: Callable[[str], None]) -> Iterator[tuple[Database, Instance | None]]:
    """The pipeline's database and Dagster's instance, as they stand; None, after a complaint, without the latter.

    Raises DatabaseUnavailable, SchemaMismatch.
    """
    with ExitStack() as stack:
        database = stack.enter_context(attached(settings))
        dagster: Instance | None = None
        try:
            dagster = stack.enter_context(instance.opened(settings))
        except PipelineError as error:
            complain(f"only the ledger can be looked at, Dagster's runs cannot: {error.message}")
        yield database, dagster


def find_stuck_syncs() -> list[StuckSync]:
    """See `monitoring.find_stuck_syncs`."""
    settings = load_settings()
    with opened(settings, log.warning) as (database, dagster):
        return find(database, dagster, Bounds.of(settings))


def cleanup_stuck_syncs(max_age_hours: float | None) -> int:
    """See `monitoring.cleanup_stuck_syncs`."""
    settings = load_settings()
    with opened(settings, log.warning) as (database, dagster):
        return len(recover(database, dagster, Bounds.of(settings, max_age_hours, getpass.getuser())))
