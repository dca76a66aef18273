"""Whoever meets reference data missing or old has it read: the sensor of a daemon, `sync` where there is none."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path

import dagster as dg

from emag_pipeline.dagster_runs import REFERENCE_JOB
from emag_pipeline.dagster_runs.executing import Outcome, execute, outcome_after_publish
from emag_pipeline.dagster_runs.start_time import due_moments
from emag_pipeline.databases import attached
from emag_pipeline.reference.tables import RESOURCES, last_reads
from emag_pipeline.settings import Settings, cron
from emag_pipeline.settings.home import claim
from emag_pipeline.store.engine import Database

#: So many ticks of the schedule are looked at for the longest time between two: a week of working days, and more.
_TICKS = 9
#: So long one waits for another process that reads; two that read at once cost calls and nothing else.
_PATIENCE_SECONDS, _LOOK_SECONDS = 300.0, 0.2


def read_last(database: Database, marketplace: str) -> datetime | None:
    """When the marketplace's reference data was last read (UTC): its oldest resource; None when one never was."""
    reads = last_reads(database, marketplace)
    return min(reads.values()) if all(resource.name in reads for resource in RESOURCES) else None


def allowed_age(settings: Settings) -> timedelta:
    """How old it may become: one and a half times the longest time between two reads by EMAG_REFERENCE_CRON.

    So a scheduled read may fail, and its retries too, before somebody else comes to help.
    """
    expression = cron.with_minute(settings.reference_cron, 0)
    ticks = due_moments(expression, settings.cron_timezone, datetime.now(UTC))
    return 1.5 * max(later - earlier for earlier, later in pairwise(islice(ticks, _TICKS)))


def is_old(read_at: datetime | None, settings: Settings) -> bool:
    """Whether it is to be read: never read, or longer ago than `allowed_age`."""
    return read_at is None or datetime.now(UTC) - read_at > allowed_age(settings)


def refresh_reference_if_old(instance: dg.DagsterInstance, settings: Settings, account: str) -> Outcome | None:
    """Read the reference data of the account's marketplace in this process, by the very job of the schedule.

    None when it is there and young enough. One process of this EMAG_HOME reads, the others wait for it.
    """
    marketplace = settings.account(account).marketplace.name
    if not _is_due(settings, marketplace):
        return None
    with _alone(claim(settings.home) / "reference.lock"):
        if not _is_due(settings, marketplace):
            return None
        run_id = execute(instance, REFERENCE_JOB, marketplace)
    return outcome_after_publish(instance, run_id)


def _is_due(settings: Settings, marketplace: str) -> bool:
    with attached(settings) as database:
        return is_old(read_last(database, marketplace), settings)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """A lock that ends with its process, however that ends; one that stands still keeps others for minutes only."""
    until = time.monotonic() + _PATIENCE_SECONDS
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    break
                time.sleep(_LOOK_SECONDS)
        yield
