import pytest

from emag_pipeline.errors import LeaseLost
from emag_pipeline.processes import own_mark
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger, liveness
from emag_pipeline.sync.ledger import StillWriting
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, rows, stage, sync


def _end(database: Database, lease: ledger.Lease) -> None:
    with database.transaction() as tx:
        assert liveness.locked(tx, lease.sync_id)
        ledger.end_locked(tx, lease.sync_id, "failed", error_class="StuckSync", message="m", remedy="r")


def test_running_syncs_tell_their_signs_of_life(database: Database) -> None:
    sync(database, [offer(1)], account="fbe")
    lease = begin(database, run_id="r1")
    stage(database, lease, [offer(1)])
    with database.transaction() as tx:
        tx.run(
            "UPDATE emag_offer_syncs SET heartbeat_at = now() - interval '1 hour',"
            " progressed_at = now() - interval '2 hours'"
        )
    (running,) = liveness.running_syncs(database)
    assert (running.account, running.dagster_run_id, running.pages_done) == ("main", "r1", 1)
    assert (running.process, running.is_process_gone) == (own_mark(), False)
    assert 3600 <= running.silent_seconds < 3660
    assert 7200 <= running.idle_seconds < 7260


def test_whoever_was_ended_from_outside_writes_nothing_any_more(database: Database) -> None:
    lease = begin(database)
    _end(database, lease)
    with pytest.raises(LeaseLost):
        stage(database, lease, [offer(1)])
    with pytest.raises(LeaseLost):
        ledger.beat(database, lease)


def test_the_next_attempt_goes_on_with_the_pages_of_one_that_was_ended_from_outside(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    _end(database, lease)
    resumed = begin(database)
    assert (resumed.sync_id, resumed.attempt) == (lease.sync_id, 2)


def test_a_publish_under_way_cannot_be_ended(database: Database) -> None:
    lease = begin(database)
    with database.transaction() as publishing:
        ledger.hold(publishing, lease)
        with pytest.raises(StillWriting), database.transaction() as tx:
            liveness.locked(tx, lease.sync_id)


def test_a_sync_that_has_ended_meanwhile_is_not_there_to_be_ended(database: Database) -> None:
    lease = begin(database)
    ledger.end(database, lease, "failed", error_class="X", message="m", remedy="r")
    with database.transaction() as tx:
        assert liveness.locked(tx, lease.sync_id) is None


def test_counters_grow_for_each_account(database: Database) -> None:
    with database.transaction() as tx:
        for account in ("main", "main", "fbe"):
            liveness.count(tx, liveness.STUCK, account)
    counted = rows(database, "SELECT labels ->> 'account_type' AS account, value FROM emag_counters")
    assert {row.account: row.value for row in counted} == {"main": 2, "fbe": 1}
