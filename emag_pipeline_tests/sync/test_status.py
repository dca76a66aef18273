import pytest

from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger, staging
from emag_pipeline.sync.status import account_statuses, sync_progress
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, stage, stage_page, sync


def test_an_account_that_never_ran_is_said_to_be_so(database: Database) -> None:
    status = account_statuses(database, ["main"])[0]
    assert (status.state, status.last_publish_at, status.offers) == ("never synced", None, 0)


def test_a_published_account_has_its_numbers_and_a_young_age(database: Database) -> None:
    done = sync(database, [offer(1), offer(2, is_saleable=False)])
    status = account_statuses(database, ["fbe", "main"])[1]
    assert (status.account, status.state, status.offers, status.saleable) == ("main", "completed", 2, 1)
    assert status.last_publish_at == done.published_at
    assert status.age_seconds is not None
    assert 0 <= status.age_seconds < 60


def test_a_running_sync_shows_its_pages(database: Database) -> None:
    stage(database, begin(database, run_id="r1"), [offer(1)])
    progress = sync_progress(database, "main", "r1")
    assert progress is not None
    assert (progress.phase, progress.pages_done, progress.pages_expected, progress.offers_done) == ("scanning", 1, 1, 1)


def test_the_time_of_all_attempts_is_told_without_what_lay_between_them(database: Database) -> None:
    stage(database, begin(database, run_id="r1"), [offer(1)])
    for state in ("status = 'running'", "status = 'failed', completed_at = now()", "status = 'completed'"):
        execute(
            database,
            f"""UPDATE emag_offer_syncs SET {state}, worked_seconds = 100,
                    attempt_started_at = now() - interval '20 seconds', started_at = now() - interval '1 day'""",
        )
        progress = sync_progress(database, "main")
        assert progress is not None
        # a publish has added its own attempt already
        assert progress.worked_seconds == pytest.approx(100 if state == "status = 'completed'" else 120, abs=5)


def test_a_listing_that_grew_beyond_its_count_has_as_many_pages_as_were_read(database: Database) -> None:
    lease = begin(database)
    staging.plan(database, lease, pages=1, offers=2)
    stage_page(database, lease, 2, [offer(1)], rows=1)
    stage_page(database, lease, 1, [offer(2)], rows=2)  # of a further reading, by the count
    progress = sync_progress(database, "main")
    assert progress is not None
    assert (progress.pages_done, progress.pages_expected) == (2, 2)


def test_quarantined_rows_are_those_of_the_newest_sync_and_flagged_offers_the_published_ones(
    database: Database,
) -> None:
    bad = [Reject(offer_id, "no number", "{}") for offer_id in (2, 3)]
    sync(database, [offer(1), offer(2)])
    sync(database, [offer(1)], rejects=bad)
    status = account_statuses(database, ["main"])[0]
    assert (status.offers, status.quarantined, status.flagged) == (2, 2, 1)
    ledger.end(database, begin(database), "failed", error_class="ApiUnavailable", message="what", remedy="do this")
    status = account_statuses(database, ["main"])[0]
    assert (status.quarantined, status.flagged) == (0, 1)


def test_a_failed_sync_shows_its_reason_and_remedy(database: Database) -> None:
    ledger.end(database, begin(database), "failed", error_class="AccessRefused", message="what", remedy="do this")
    error = account_statuses(database, ["main"])[0].last_error
    assert error is not None
    assert (error.error_class, error.message, error.remedy) == ("AccessRefused", "what", "do this")
