"""The database's clock was set back by an hour: what was written before lies ahead of it now."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from emag_pipeline.errors import AnotherSyncRunning, RefusedError
from emag_pipeline.monitoring import incidents
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures, ledger, liveness
from emag_pipeline.sync.approval import approve
from emag_pipeline.sync.rate_budget import DatabaseBudget
from emag_pipeline.sync.status import account_statuses, sync_progress
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, rows, stage, sync

_HOUR = timedelta(hours=1)


def _set_back(database: Database) -> None:
    let_pass(database, -_HOUR)


def _slots(database: Database, budget: DatabaseBudget, calls: int) -> tuple[list[float], list[float]]:
    """What each of several calls has to wait, and the distances between their slots, both in seconds."""
    waits, slots = [], []
    for _ in range(calls):
        waits.append(budget.reserve("main"))
        slots.append(rows(database, "SELECT next_slot_at FROM emag_rate_budget")[0].next_slot_at)
    return waits, [(later - earlier).total_seconds() for earlier, later in pairwise(slots)]


def test_a_slot_of_before_keeps_nobody_from_calling(database: Database) -> None:
    budget = DatabaseBudget(database, 1, 1)  # so slow that the time the calls take does not matter
    budget.reserve("main")
    _set_back(database)
    assert budget.lost_seconds("main") == pytest.approx(3600 + budget.pace_seconds, abs=60)
    waits, distances = _slots(database, budget, 3)
    assert 0 < waits[0] <= budget.pace_seconds
    assert distances == pytest.approx([budget.pace_seconds] * 2)
    assert budget.lost_seconds("main") == 0


def test_a_pause_of_before_is_over_and_a_new_one_counts(database: Database) -> None:
    budget = DatabaseBudget(database, 3, 180)
    budget.slow_down("main", 120)
    _set_back(database)
    assert not budget.is_quiet("main")
    assert budget.reserve("main") < 1
    budget.slow_down("main", 120)
    assert budget.is_quiet("main")
    assert 60 < budget.reserve("main") <= 120
    assert budget.lost_seconds("main") == 0


def test_a_slow_account_may_have_a_slot_behind_a_long_pause(database: Database) -> None:
    budget = DatabaseBudget(database, 3, 180, share=0.05)
    budget.slow_down("main", 120)
    waits, distances = _slots(database, budget, 5)
    assert 60 < waits[0] <= 120
    assert distances == pytest.approx([1.1 * budget.pace_seconds] * 4)


def test_a_publish_is_later_than_the_one_before(database: Database) -> None:
    first = sync(database, [offer(1)])
    _set_back(database)
    second = sync(database, [offer(1, sale_price=Decimal("9.9900"))])
    assert second.published_at == first.published_at + _HOUR + timedelta(microseconds=1)
    states = rows(database, "SELECT valid_from, valid_to FROM emag_offer_history ORDER BY valid_from")
    assert [row.valid_to for row in states] == [second.published_at, None]
    assert account_statuses(database, ["main"])[0].last_publish_at == second.published_at


def test_a_publish_is_later_than_those_of_other_accounts_too(database: Database) -> None:
    first = sync(database, [offer(1)])
    _set_back(database)
    second = sync(database, [offer(1)], account="fbe")
    assert second.published_at == first.published_at + _HOUR + timedelta(microseconds=1)
    numbered = rows(database, "SELECT account_type FROM emag_publishes ORDER BY publish_number")
    assert [row.account_type for row in numbered] == ["main", "fbe"]


def test_the_newest_sync_is_the_one_that_began_last(database: Database) -> None:
    sync(database, [offer(1)])
    _set_back(database)
    lease = begin(database, run_id="now")
    newest = sync_progress(database, "main")
    assert newest is not None
    assert newest.sync_id == lease.sync_id


def test_an_older_refused_scan_is_not_approved_over_newer_data(database: Database) -> None:
    refused = begin(database)
    stage(database, refused, [offer(1)])
    figures.begin_audit(database, refused)
    ledger.end(database, refused, "failed", error_class="RefusedError", message="m", remedy="r")
    _set_back(database)
    sync(database, [offer(1), offer(2)])
    with pytest.raises(RefusedError, match="cannot be approved"):
        approve(database, load_settings({}, env_file=None), refused.sync_id, "a person")
    assert not begin(database).resumed


def test_a_sync_that_died_before_the_jump_is_dead_in_time(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    _set_back(database)
    liveness.bring_back_signs(database)
    with pytest.raises(AnotherSyncRunning):
        begin(database)
    (running,) = liveness.running_syncs(database)
    assert 0 <= running.silent_seconds < 60
    execute(database, "UPDATE emag_offer_syncs SET heartbeat_at = heartbeat_at - interval '121 seconds'")
    assert begin(database).resumed


def test_an_approval_counts_although_the_refusal_lies_ahead(database: Database) -> None:
    refused = begin(database)
    stage(database, refused, [offer(1)])
    ledger.end(database, refused, "failed", error_class="RefusedError", message="m", remedy="r")
    _set_back(database)
    with database.transaction() as tx:
        ledger.approve(tx, refused.sync_id, "a person")
    assert account_statuses(database, ["main"])[0].awaits_publish
    assert begin(database).approved


def test_an_incident_that_lies_ahead_is_over_when_the_account_is_published(database: Database) -> None:
    incidents.note(database, IncidentFinding("main", "failing", "m", "r"))
    _set_back(database)
    incidents.close(database, "main", well_at=sync(database, [offer(1)]).published_at)
    assert incidents.open_incidents(database) == []
