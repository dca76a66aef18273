"""When an account is tried again by itself: what the sensor `stale_accounts` does next, and what incidents wait for."""

from datetime import UTC, datetime
from math import inf

from emag_pipeline.monitoring.freshness import is_stale
from emag_pipeline.monitoring.standing import Standing
from emag_pipeline.settings import Settings

#: Runs that fail are repeated at least this often; it is also how long a person's Terminate is respected.
LONGEST_WAIT_SECONDS = 3600.0
#: A try that is due begins with the sensor's next look but one at the latest.
LOOKS = 2


def wait_seconds(failures: int, interval_seconds: float) -> float:
    """How long after the last of so many failures in a row the next run may start: doubling, up to an hour."""
    if failures == 0:
        return 0.0
    return min(interval_seconds * 2.0 ** (failures - 1), max(LONGEST_WAIT_SECONDS, interval_seconds))


def needs_a_person(standing: Standing) -> bool:
    """Whether no rerun mends what is wrong; an approved refusal is mended by the next one."""
    cause = standing.cause
    return cause is not None and cause.needs_a_person and not standing.status.awaits_publish


def is_behind(standing: Standing, settings: Settings) -> bool:
    """Whether the account wants a run: it is stale, an approved scan waits, or its newest sync did not publish."""
    return is_stale(standing.status, settings) or standing.status.awaits_publish or _ended_unpublished(standing)


def due_seconds(standing: Standing, settings: Settings) -> float:
    """In how many seconds `stale_accounts` may start a run; below 0 when it could have, and infinite for never."""
    if standing.is_under_way or needs_a_person(standing) or not is_behind(standing, settings):
        return inf
    return _wait_seconds(standing, settings) - _ended_seconds_ago(standing)


def is_about_to_be_tried_again(standing: Standing, settings: Settings) -> bool:
    """Whether the first try failed and the second is due by itself: within the wait and two looks of the sensor.

    Bounded, so that a sensor that is switched off hides nothing for long.
    """
    late = -LOOKS * settings.monitor_interval_seconds
    return standing.past.tries <= 1 and late < due_seconds(standing, settings) < inf


def _wait_seconds(standing: Standing, settings: Settings) -> float:
    if standing.status.awaits_publish:
        return 0.0
    if standing.past.is_cancelled:
        return LONGEST_WAIT_SECONDS
    return wait_seconds(standing.past.failures, settings.monitor_interval_seconds)


def _ended_seconds_ago(standing: Standing) -> float:
    """By Dagster, or by the ledger where the run is another installation's."""
    error = standing.status.last_error
    by_ledger = inf if error is None else max(0.0, (datetime.now(UTC) - error.at).total_seconds())
    return min(standing.past.ended_seconds_ago, by_ledger)


def _ended_unpublished(standing: Standing) -> bool:
    newest = standing.newest
    return newest is not None and newest.status in ("failed", "timeout", "cancelled") and not standing.past.is_cancelled
