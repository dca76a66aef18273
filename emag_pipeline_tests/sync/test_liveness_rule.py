from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from emag_pipeline.errors import Rerun, rerun_after
from emag_pipeline.processes import own_mark
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.ledger import SyncPhase
from emag_pipeline.sync.liveness import ERROR_CLASSES, Bounds, RunEnd, RunningSync, is_abandoned, trouble_of

_BOUNDS = Bounds(idle_seconds=3600, silent_seconds=120)
_WELL = RunningSync(
    sync_id=uuid4(),
    account="main",
    phase=SyncPhase.SCANNING,
    attempt=1,
    dagster_run_id="r1",
    attempt_started_at=datetime(2026, 11, 24, tzinfo=UTC),
    pages_done=3,
    pages_expected=12,
    silent_seconds=20.0,
    idle_seconds=600.0,
)


def _condition(sync: RunningSync, run_end: RunEnd | None = None) -> str | None:
    trouble = trouble_of(sync, _BOUNDS, run_end)
    return trouble.condition if trouble else None


def test_a_sync_that_beats_and_makes_progress_is_in_no_trouble() -> None:
    assert _condition(_WELL) is None


def test_a_sync_without_a_heartbeat_is_dead_whatever_its_progress() -> None:
    assert _condition(replace(_WELL, silent_seconds=121, idle_seconds=4000)) == "dead"


def test_a_sync_that_beats_without_progress_is_stuck() -> None:
    trouble = trouble_of(replace(_WELL, idle_seconds=3700), _BOUNDS)
    assert trouble is not None
    assert trouble.condition == "stuck"
    assert trouble.why == "its heartbeat continues, but no progress for 3700 s, the limit is 3600 s"


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE"])
def test_a_sync_whose_run_has_ended_is_orphaned_although_it_beats(status: str) -> None:
    assert _condition(_WELL, RunEnd(status, seconds_ago=11)) == "orphaned"


def test_a_run_that_has_just_ended_may_still_be_writing_down_why() -> None:
    assert _condition(_WELL, RunEnd("FAILURE", seconds_ago=10)) is None


def test_a_sync_whose_process_is_gone_is_dead_although_it_beat_just_now() -> None:
    mark = own_mark()
    assert mark.start_ticks is not None
    assert _condition(replace(_WELL, process=mark)) is None
    assert _condition(replace(_WELL, process=replace(mark, start_ticks=mark.start_ticks - 1))) == "dead"


@pytest.mark.parametrize(
    ("status", "condition", "why"),
    [
        ("FAILURE", "orphaned", "its Dagster run r1 has ended (FAILURE) without releasing the lease"),
        ("CANCELED", "cancelled", "its Dagster run r1 was cancelled without releasing the lease"),
        ("CANCELING", "cancelled", "its Dagster run r1 was being cancelled, and its process {} on {} is gone"),
    ],
)
def test_how_its_run_ended_counts_more_than_a_process_that_is_gone(status: str, condition: str, why: str) -> None:
    mark = own_mark()
    assert mark.start_ticks is not None
    gone = replace(_WELL, process=replace(mark, start_ticks=mark.start_ticks - 1))
    trouble = trouble_of(gone, _BOUNDS, RunEnd(status, seconds_ago=60))
    assert trouble is not None
    assert (trouble.condition, trouble.why) == (condition, why.format(mark.process_id, mark.host))


@pytest.mark.parametrize("status", ["CANCELED", "CANCELING"])
def test_a_sync_whose_run_is_cancelled_is_no_failure(status: str) -> None:
    trouble = trouble_of(replace(_WELL, silent_seconds=500), _BOUNDS, RunEnd(status, seconds_ago=60))
    assert trouble is not None
    assert (trouble.condition, trouble.status, trouble.error_class) == ("cancelled", "cancelled", "Interrupted")


def test_a_bound_of_0_hours_is_met_by_every_running_sync() -> None:
    bounds = Bounds.of(load_settings({}, env_file=None), max_age_hours=0, asked_by="ana")
    trouble = trouble_of(replace(_WELL, silent_seconds=0, idle_seconds=0), bounds)
    assert trouble is not None
    assert (trouble.condition, trouble.status, trouble.error_class) == ("cancelled", "cancelled", "Interrupted")
    assert trouble.why == "ended by ana with `emag-pipeline recover`, it was not stuck"


def test_bounds_are_those_of_the_settings_and_hours_become_seconds() -> None:
    settings = load_settings({"EMAG_SYNC_STUCK_THRESHOLD_HOURS": "1.5"}, env_file=None)
    bounds = Bounds.of(settings, max_age_hours=0.5, asked_by="ana")
    assert bounds == Bounds(5400, settings.heartbeat_timeout_seconds, 1800, "ana")
    assert trouble_of(replace(_WELL, idle_seconds=1799), bounds) is None
    assert trouble_of(replace(_WELL, idle_seconds=1800), bounds) is not None
    assert Bounds.of(settings) == Bounds(5400, settings.heartbeat_timeout_seconds)


def test_what_is_stuck_or_dead_stays_so_whoever_ends_it() -> None:
    bounds = Bounds.of(load_settings({}, env_file=None), max_age_hours=0, asked_by="ana")
    for changed, condition in ({"idle_seconds": 3700.0}, "stuck"), ({"silent_seconds": 500.0}, "dead"):
        trouble = trouble_of(replace(_WELL, **changed), bounds)
        assert trouble is not None
        assert trouble.condition == condition


def test_a_rerun_can_help_after_each_of_these_ends() -> None:
    assert all(rerun_after(error_class) is not Rerun.NEVER for error_class in ERROR_CLASSES.values())


@pytest.mark.parametrize(
    ("quiet_seconds", "worker_lives", "abandoned"),
    [(160, False, False), (170, False, True), (170, True, False), (3601, True, True)],
)
def test_a_run_without_a_sync_is_given_time_and_more_where_its_process_is_seen(
    quiet_seconds: float, worker_lives: bool, abandoned: bool
) -> None:
    assert is_abandoned(quiet_seconds, _BOUNDS, worker_lives=worker_lives) is abandoned
