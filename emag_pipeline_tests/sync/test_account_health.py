from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from emag_pipeline.monitoring.dagster import why_not
from emag_pipeline.monitoring.incidents import findings
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.account_health import AccountState, Cause, PastRuns, wait_seconds
from emag_pipeline.sync.ledger import SyncPhase, SyncStatus
from emag_pipeline.sync.status import AccountStatus, SyncProgress

_SETTINGS = load_settings({}, env_file=None)
_HOUR = 3600.0
_FRESH = AccountStatus(
    account="main",
    state="completed",
    last_publish_at=datetime.now(UTC),
    oldest_page_at=datetime.now(UTC),
    age_seconds=_HOUR,
    published_seconds_ago=_HOUR,
    scan_seconds=60.0,
    offers=2,
    saleable=2,
    deleted=0,
    quarantined=0,
    flagged=0,
    running=None,
    awaits_publish=False,
    last_error=None,
)
_FAILED = SyncProgress(
    sync_id=uuid4(),
    account="main",
    status=SyncStatus.FAILED,
    phase=SyncPhase.SCANNING,
    attempt=1,
    round=1,
    dagster_run_id="r1",
    started_at=datetime.now(UTC),
    pages_expected=None,
    pages_done=0,
    offers_expected=None,
    offers_done=0,
    offers_created=0,
    offers_updated=0,
    offers_unchanged=0,
    offers_deleted=0,
    offers_rejected=0,
    elapsed_seconds=1.0,
    worked_seconds=1.0,
    silent_seconds=1.0,
    oldest_page_seconds=None,
    is_approved=False,
    error_class="ApiUnavailable",
    error_message="main: no answer",
    error_remedy="Wait",
)
_DIED = Cause("RUN_DIED", "terminated by signal 9", "Look", "r2")
_FAILING = AccountState(_FRESH, _FAILED, PastRuns(failures=1, ended_seconds_ago=10.0), is_under_way=False)


def test_the_ledgers_words_and_the_remedy_stand_beside_each_other() -> None:
    assert _FAILING.cause == Cause("ApiUnavailable", "main: no answer", "Wait", "r1")


def test_dagsters_words_are_told_where_the_ledger_knows_nothing_of_the_failed_run() -> None:
    assert replace(_FAILING, past=replace(_FAILING.past, cause=_DIED)).cause == _DIED


def test_the_ledgers_words_are_preferred_for_the_same_run() -> None:
    same = replace(_DIED, run_id="r1")
    cause = replace(_FAILING, past=replace(_FAILING.past, cause=same)).cause
    assert cause is not None
    assert cause.error_class == "ApiUnavailable"


@pytest.mark.parametrize("change", [{"is_under_way": True}, {"past": PastRuns(is_cancelled=True)}])
def test_nothing_is_wrong_while_a_run_is_under_way_or_after_a_person_stopped_one(change: dict[str, object]) -> None:
    assert findings(replace(_FAILING, **change), _SETTINGS) == []  # type: ignore[arg-type]


def test_a_fresh_account_gets_no_run() -> None:
    assert why_not(AccountState(_FRESH, None, PastRuns(), is_under_way=False), _SETTINGS) == "fresh"


def test_an_account_whose_sync_failed_gets_a_run_although_it_is_fresh_once_its_wait_is_over() -> None:
    assert why_not(_FAILING, _SETTINGS) == "next try in 290 s, the last run failed"
    assert why_not(replace(_FAILING, past=PastRuns(failures=1, ended_seconds_ago=301.0)), _SETTINGS) == ""


@pytest.mark.parametrize(
    ("failures", "interval", "seconds"), [(0, 300, 0), (1, 300, 300), (4, 300, 2400), (9, 300, 3600), (3, 7200, 7200)]
)
def test_the_wait_doubles_up_to_an_hour_and_is_never_shorter_than_the_interval(
    failures: int, interval: float, seconds: float
) -> None:
    assert wait_seconds(failures, interval) == seconds


def _stale(hours: float, *, under_way: bool = False) -> list[str]:
    status = replace(_FRESH, age_seconds=hours * _HOUR, published_seconds_ago=hours * _HOUR)
    return [one.message for one in findings(AccountState(status, None, PastRuns(), under_way), _SETTINGS)]


def test_a_run_under_way_gets_its_time_before_its_account_is_called_stale() -> None:
    assert _stale(5.9) == []
    assert _stale(7) == ["published 7 hours ago, 6 hours are allowed (EMAG_SYNC_STALE_AFTER_HOURS)"]
    assert _stale(7, under_way=True) == []
    assert len(_stale(9, under_way=True)) == 1


def test_an_account_that_was_never_published_is_stale_when_it_was_tried_for_as_long() -> None:
    never = replace(_FRESH, last_publish_at=None, age_seconds=None)
    (found,) = findings(AccountState(never, None, PastRuns(tried_for_seconds=7 * _HOUR), True), _SETTINGS) or (None,)
    assert found is None
    (found,) = findings(AccountState(never, None, PastRuns(tried_for_seconds=9 * _HOUR), True), _SETTINGS)
    assert found.message.startswith("it was never published")
