from concurrent.futures import ThreadPoolExecutor

import pytest

from emag_pipeline.errors import AnotherSyncRunning, LeaseLost, PipelineError
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger, staging
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, rows, stage, stage_page, sync


def _silence(database: Database, seconds: int) -> None:
    with database.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET heartbeat_at = now() - :s * interval '1 second'", s=seconds)


def test_a_second_sync_of_the_account_is_refused(database: Database) -> None:
    begin(database)
    with pytest.raises(AnotherSyncRunning, match="main: another sync is running"):
        begin(database)


def test_accounts_have_leases_of_their_own(database: Database) -> None:
    assert begin(database, "main").sync_id != begin(database, "fbe").sync_id


def test_of_ten_simultaneous_starts_one_gets_the_lease(database: Database) -> None:
    def attempt(_: int) -> bool:
        try:
            begin(database)
        except AnotherSyncRunning:
            return False
        return True

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(attempt, range(10))) == 1


def test_a_silent_owner_is_dead_and_its_pages_are_kept(database: Database) -> None:
    old = begin(database)
    stage(database, old, [offer(1)])
    _silence(database, 121)
    new = begin(database)
    assert (new.sync_id, new.attempt, new.resumed) == (old.sync_id, 2, True)
    assert [list(window.ids) for window in staging.durable_windows(database, new)] == [[1]]


def test_an_owner_whose_run_has_ended_is_dead_at_once(database: Database) -> None:
    old = begin(database, run_id="ended")
    stage(database, old, [offer(1)])
    assert begin(database, run_has_ended=lambda run: run == "ended").sync_id == old.sync_id


def test_a_sync_that_died_before_its_first_page_blocks_nobody(database: Database) -> None:
    old = begin(database, run_id="ended")
    new = begin(database, run_has_ended=lambda _: True)
    assert (new.sync_id != old.sync_id, new.resumed) == (True, False)


@pytest.mark.parametrize(
    ("error_class", "phase", "resumes"),
    [
        ("DatabaseUnavailable", "publishing", True),
        ("OwnerDied", "publishing", True),
        ("Interrupted", "auditing", True),
        ("StuckSync", "auditing", True),
        ("PermanentError", "publishing", False),
        ("KeyError", "auditing", False),
        ("SchemaMismatch", "publishing", False),
        ("AccessRefused", "scanning", True),
        ("KeyError", "scanning", True),
        ("ApiUnavailable", "scanning", True),
        ("CallAborted", "scanning", True),
        ("RateLimited", "scanning", True),
        ("RequestRefused", "scanning", True),
        ("SchemaMismatch", "scanning", True),
        ("ScanNotProven", "scanning", False),
        ("ScanNotProven", "confirming", False),
        ("StagingLost", "scanning", False),
        ("SyncTimedOut", "scanning", False),
        ("ParametersIgnored", "scanning", False),
        ("ParametersIgnored", "confirming", True),  # the filter of reads by id, when all pages are read
    ],
)
def test_what_is_staged_is_gone_on_with_unless_it_is_worth_nothing_or_would_fail_again(
    error_class: str, phase: str, resumes: bool, database: Database
) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    with database.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET phase = :phase", phase=phase)
    ledger.end(database, lease, "failed", error_class=error_class, message="", remedy="")
    assert begin(database).resumed is resumes


def test_a_scan_that_a_defect_ends_as_soon_as_it_is_taken_up_is_read_anew(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    ledger.end(database, lease, "failed", error_class="KeyError", message="", remedy="")
    again = begin(database)
    stage_page(database, again, 2, [offer(2)], rows=2)
    ledger.end(database, again, "failed", error_class="KeyError", message="", remedy="")
    third = begin(database)
    assert (third.sync_id, third.attempt) == (lease.sync_id, 3)  # the second one came further
    ledger.end(database, third, "failed", error_class="KeyError", message="", remedy="")
    assert begin(database).sync_id != lease.sync_id


def test_an_approved_scan_whose_publish_failed_for_good_is_read_anew(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    with database.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET phase = 'publishing', approved_at = now(), approved_by = 'ana'")
    ledger.end(database, lease, "failed", error_class="PermanentError", message="", remedy="")
    new = begin(database)
    assert (new.resumed, new.approved) == (False, False)


def test_a_run_that_lost_its_lease_stages_nothing(database: Database) -> None:
    old = begin(database)
    stage(database, old, [offer(1)])
    _silence(database, 121)
    begin(database)
    with pytest.raises(LeaseLost):
        stage_page(database, old, 2, [offer(2)], rows=2)
    assert [row.count for row in rows(database, "SELECT count(*) FROM emag_scan_offers")] == [1]


def test_a_run_that_lost_its_lease_cannot_end_the_new_one(database: Database) -> None:
    old = begin(database)
    _silence(database, 121)
    begin(database)
    assert not ledger.end(database, old, "failed", error_class="X", message="m", remedy="r")


def test_staging_that_did_not_survive_is_noticed(database: Database) -> None:
    old = begin(database)
    stage(database, old, [offer(1)])
    ledger.end(database, old, "failed", error_class="ApiUnavailable", message="m", remedy="r")
    with database.transaction() as tx:
        tx.run("TRUNCATE emag_scan_pages, emag_scan_offers")
    assert begin(database).sync_id != old.sync_id


def test_what_earlier_syncs_left_in_staging_does_not_count_for_the_newest(database: Database) -> None:
    reasons = {"message": "m", "remedy": "r"}
    old = begin(database)
    stage(database, old, [offer(1)])
    ledger.end(database, old, "failed", error_class="ScanNotProven", **reasons)
    new = begin(database)
    stage(database, new, [offer(1)])
    with database.transaction() as tx:
        assert ledger.pages_left(tx, new.sync_id, "main") == 1
    ledger.end(database, new, "failed", error_class="ApiUnavailable", **reasons)
    assert (begin(database).sync_id, new.sync_id != old.sync_id) == (new.sync_id, True)


def test_a_refused_scan_is_resumed_only_after_approval(database: Database) -> None:
    refused = begin(database)
    stage(database, refused, [offer(1)])
    ledger.end(database, refused, "failed", error_class="RefusedError", message="m", remedy="r")
    with database.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET approved_at = now()")
    approved = begin(database)
    assert (approved.sync_id, approved.approved) == (refused.sync_id, True)


def test_a_completed_sync_is_not_resumed(database: Database) -> None:
    sync(database, [offer(1)])
    assert not begin(database).resumed


def test_heartbeats_pass_while_a_publish_holds_the_lease(database: Database) -> None:
    lease = begin(database)
    with database.transaction() as tx:
        ledger.hold(tx, lease)
        ledger.beat(database, lease)
        with pytest.raises(AnotherSyncRunning, match="publishing"):
            begin(database, run_has_ended=lambda _: True)


def test_a_wrong_statement_is_the_pipelines_defect_and_says_so(database: Database) -> None:
    with pytest.raises(PipelineError, match="SQLSTATE 42601"), database.transaction() as tx:
        tx.run("SELEC 1")
