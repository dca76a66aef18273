from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from emag_pipeline.local.words import failure_words, outcome_words, pace_words, progress_words, trouble_words
from emag_pipeline.sync.ledger import SyncPhase, SyncStatus
from emag_pipeline.sync.liveness import Condition, Trouble
from emag_pipeline.sync.status import SyncProgress

_HALF = SyncProgress(
    sync_id=uuid4(), account="main", status=SyncStatus.RUNNING, phase=SyncPhase.SCANNING, attempt=1, round=1,
    dagster_run_id=None,
    started_at=datetime.now(UTC), pages_expected=12, pages_done=6, pages_left=6, offers_expected=1200, offers_done=600,
    offers_created=0, offers_updated=0, offers_unchanged=0, offers_deleted=0, offers_rejected=0, elapsed_seconds=2.0,
    worked_seconds=2.0,
    silent_seconds=0.0, oldest_page_seconds=None, is_approved=False, error_class=None, error_message=None,
    error_remedy=None,
)  # fmt: skip


def test_a_scan_tells_how_far_it_is_and_how_long_it_will_take() -> None:
    assert progress_words(_HALF) == "scanning, 6 of 12 pages, 600 of 1,200 offers"
    assert pace_words(_HALF) == "300 offers/s, 2 seconds left"


def test_a_listing_that_has_grown_has_as_many_pages_as_were_read() -> None:
    grown = replace(_HALF, pages_done=13, offers_done=1236)
    assert progress_words(grown) == "scanning, 13 of 13 pages, 1,236 offers (1,200 were counted before)"


def test_a_later_reading_is_told_as_such_and_without_a_pace_that_nobody_knows() -> None:
    again = replace(_HALF, round=2)
    assert progress_words(again) == "scanning, reading 2, 6 of 12 pages, 600 of 1,200 offers"
    assert pace_words(again) == ""


def test_reads_by_id_are_told_while_they_are_made() -> None:
    confirming = replace(_HALF, phase=SyncPhase.CONFIRMING, pages_done=12, offers_done=1150, asked_by_id=50)
    told = progress_words(confirming)
    assert told == "confirming, 12 of 12 pages, 1,150 of 1,200 offers, 50 missing offers looked up by id"


def test_a_published_sync_whose_run_goes_on_says_what_is_done_still() -> None:
    published = replace(_HALF, status=SyncStatus.COMPLETED, phase=SyncPhase.PUBLISHING)
    assert progress_words(published) == "published, its marts and checks are being computed"
    assert pace_words(published) == ""


def test_the_last_line_of_a_sync_tells_the_age_of_old_pages_and_the_time_of_all_attempts() -> None:
    published = replace(_HALF, status=SyncStatus.COMPLETED, oldest_page_seconds=90.0)
    numbers = "0 created, 0 updated, 0 unchanged, 0 deleted, 0 rows in quarantine"
    assert outcome_words("main", "", published) == f"main: published in 2.0 s: {numbers}"
    resumed = replace(
        published,
        attempt=3,
        oldest_page_seconds=250.0,
        completed_at=published.started_at + timedelta(seconds=190),
    )
    assert outcome_words("main", "", resumed) == (
        f"main: published in 2.0 s by attempt 3, 190.0 s after the sync began: {numbers}; its oldest page was read "
        "4 minutes ago, and what has changed since follows with the next sync"
    )


def test_what_a_sync_meets_is_told_with_how_far_it_is() -> None:
    met = "page 7: HTTP 503; retry at 2026-11-26 18:02:11 UTC"
    assert progress_words(replace(_HALF, obstacle=met)) == f"scanning, 6 of 12 pages, 600 of 1,200 offers; {met}"
    assert (
        progress_words(replace(_HALF, pages_expected=None, phase=SyncPhase.PLANNING, obstacle=met))
        == f"planning; {met}"
    )


def test_a_remedy_is_told_once() -> None:
    assert failure_words("It broke.", "Mend it.") == "It broke. Mend it."
    assert failure_words("It broke", "Mend it") == "It broke. Mend it."


def test_a_single_page_and_a_single_offer_are_told_as_such() -> None:
    small = replace(_HALF, pages_expected=1, pages_done=0, offers_expected=1, offers_done=0)
    assert progress_words(small) == "scanning, 0 of 1 page, 0 of 1 offer"


def test_where_no_page_is_durable_nothing_is_gone_on_with() -> None:
    dead = Trouble(Condition.DEAD, "no heartbeat for 130 s")
    assert "continues after the last durable page;" in trouble_words(dead, "main", _HALF)[1]
    _, remedy = trouble_words(dead, "main", replace(_HALF, pages_left=0))
    assert "`emag-pipeline sync --account main` starts from the beginning: no page is durable" in remedy
    assert "continues after the last durable page, or starts" in trouble_words(dead, "main", None)[1]
