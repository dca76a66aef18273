"""What pruning removes, and what it must never remove."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from emag_pipeline.model import Reject
from emag_pipeline.retention import prune
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures, ledger
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.surprises import surprise
from emag_pipeline_tests.sync.syncs import begin, rows, stage, sync

_NOTHING = dict.fromkeys(
    ("syncs", "rejects", "payloads", "surprises", "requests", "check_results", "incidents", "staged_rows"), 0
)


def _execute(database: Database, sql: str, **parameters: Any) -> None:
    with database.transaction() as tx:
        tx.run(sql, **parameters)


def _age(database: Database, days: float) -> None:
    """Let everything that is there be so much older."""
    past = timedelta(days=days)
    _execute(
        database,
        """UPDATE emag_offer_syncs
           SET started_at = started_at - :past, attempt_started_at = attempt_started_at - :past,
               heartbeat_at = heartbeat_at - :past, progressed_at = progressed_at - :past,
               completed_at = completed_at - :past, deadline_at = deadline_at - :past""",
        past=past,
    )
    _execute(database, "UPDATE emag_offer_rejects SET rejected_at = rejected_at - :past", past=past)


def _fail(database: Database, error_class: str = "ApiUnavailable", account: str = "main") -> UUID:
    lease = begin(database, account)
    ledger.end(database, lease, "failed", error_class=error_class, message="", remedy="")
    return lease.sync_id


def _reject(offer_id: int, reason: str = "no number") -> Reject:
    return Reject(offer_id, reason, "{}")


def _syncs(database: Database) -> list[UUID]:
    return [row.sync_id for row in rows(database, "SELECT sync_id FROM emag_offer_syncs ORDER BY started_at")]


def _count(database: Database, table: str) -> int:
    return int(rows(database, f"SELECT count(*) FROM {table}")[0][0])


def test_nothing_young_is_touched(database: Database) -> None:
    _fail(database)
    sync(database, [offer(1)], rejects=[_reject(2)])
    assert prune.prune(database, 30) == _NOTHING


def test_old_syncs_go_but_for_the_newest_and_the_newest_success(database: Database) -> None:
    sync(database, [offer(1)])
    sync(database, [offer(1)])
    success = _syncs(database)[-1]
    _fail(database)
    newest = _fail(database)
    _age(database, 31)
    assert prune.prune(database, 30)["syncs"] == 2
    assert _syncs(database) == [success, newest]


def test_each_account_keeps_its_own(database: Database) -> None:
    sync(database, [offer(1)], account="main")
    _age(database, 31)
    sync(database, [offer(1)], account="fbe")
    assert prune.prune(database, 30)["syncs"] == 0


def test_a_running_sync_stays_however_old_it_looks(database: Database) -> None:
    begin(database)
    _age(database, 400)
    assert prune.prune(database, 30)["syncs"] == 0


def test_a_refused_scan_that_may_still_be_approved_stays_with_its_pages(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1), offer(2)])
    figures.begin_audit(database, lease)
    ledger.end(database, lease, "failed", error_class="RefusedError", message="", remedy="")
    _age(database, 400)
    assert prune.prune(database, 30) == _NOTHING
    with database.transaction() as tx:
        assert ledger.newest_refused(tx, lease.sync_id) is not None


def test_staging_of_a_sync_goes_when_its_time_is_over_and_not_before(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1), offer(2)])
    ledger.end(database, lease, "failed", error_class="ApiUnavailable", message="", remedy="")
    assert prune.prune(database, 30)["staged_rows"] == 0
    _age(database, 1)
    assert prune.prune(database, 30)["staged_rows"] == 3, "two offers and their page"
    assert (_count(database, "emag_scan_offers"), _count(database, "emag_scan_pages")) == (0, 0)


def test_staging_of_a_running_sync_is_never_touched(database: Database) -> None:
    stage(database, begin(database), [offer(1)])
    _age(database, 400)
    assert prune.prune(database, 0)["staged_rows"] == 0


def test_staging_that_no_sync_owns_goes(database: Database) -> None:
    stage(database, begin(database), [offer(1)])
    _execute(database, "DELETE FROM emag_offer_syncs")
    assert prune.prune(database, 30)["staged_rows"] == 2


def test_what_the_last_publish_changed_stays_told(database: Database) -> None:
    sync(database, [offer(1)])
    _age(database, 400)
    prune.prune(database, 30)
    assert (_count(database, "emag_scan_changes"), _count(database, "emag_scan_offers")) == (1, 0)


def test_quarantine_goes_with_its_sync(database: Database) -> None:
    sync(database, [offer(1)], rejects=[_reject(2)])
    _age(database, 31)
    sync(database, [offer(1)], rejects=[_reject(2)])
    assert prune.prune(database, 30) | {"staged_rows": 0} == _NOTHING | {"syncs": 1, "rejects": 1}
    assert _count(database, "emag_offer_rejects") == 1


def test_the_reason_why_an_offer_is_flagged_stays_however_old(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    sync(database, [offer(1)], rejects=[_reject(2, "an older reason")])
    sync(database, [offer(1)], rejects=[_reject(2, "the present reason")])
    _age(database, 31)
    for _ in range(2):
        _fail(database)
    _age(database, 31)
    _execute(database, "DELETE FROM emag_offer_syncs WHERE status = 'completed'")
    assert prune.prune(database, 30)["rejects"] == 1
    assert [row.reason for row in rows(database, "SELECT reason FROM emag_offer_rejects")] == ["the present reason"]


def test_rows_as_read_go_after_their_days_even_where_the_reason_stays(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    sync(database, [offer(1)], rejects=[_reject(2)])
    _age(database, 31)
    assert prune.prune(database, 30)["payloads"] == 1
    (kept,) = rows(database, "SELECT reason, payload FROM emag_offer_rejects")
    assert (kept.reason, kept.payload) == ("no number", "null")
    assert prune.prune(database, 30)["payloads"] == 0


def test_surprises_that_were_not_met_again_go(database: Database) -> None:
    surprise(database, "old", seen="2020-01-01")
    surprise(database, "new")
    assert prune.prune(database, 30)["surprises"] == 1
    assert [row.field for row in rows(database, "SELECT field FROM emag_answer_surprises")] == ["new"]


def _call(database: Database, days_ago: float) -> None:
    _execute(
        database,
        """INSERT INTO emag_requests (sent_at, account_type, resource, outcome, seconds, bytes)
           VALUES (now() - :age, 'main', 'product_offer/read', 'ok', 0.1, 10)""",
        age=timedelta(days=days_ago),
    )


@pytest.mark.parametrize(("asked", "left"), [(30, 2), (0, 2), (60, 3)])
def test_calls_are_kept_for_the_thirty_days_that_the_marketplace_asks_for(
    database: Database, asked: float, left: int
) -> None:
    for days in (1, 29.9, 30.1, 61):
        _call(database, days)
    prune.prune(database, asked)
    assert _count(database, "emag_requests") == left


def test_closed_incidents_go_and_open_ones_stay(database: Database) -> None:
    for subject, closed in (("open", None), ("old", 31), ("young", 29)):
        _execute(
            database,
            """INSERT INTO emag_incidents (subject, kind, message, remedy, opened_at, closed_at)
               VALUES (:subject, 'stale', '', '', now() - interval '90 days', now() - CAST(:age AS interval))""",
            subject=subject,
            age=None if closed is None else timedelta(days=closed),
        )
    assert prune.prune(database, 30)["incidents"] == 1
    left = rows(database, "SELECT subject FROM emag_incidents ORDER BY 1")
    assert [row.subject for row in left] == ["open", "young"]


def _grow_old(database: Database) -> None:
    sync(database, [offer(1), offer(2)], rejects=[_reject(3)])
    sync(database, [offer(1)], gone=[2])
    _fail(database)
    _call(database, 31)
    _age(database, 31)


def test_a_dry_run_counts_exactly_what_would_go_and_removes_nothing(database: Database) -> None:
    _grow_old(database)
    foretold = prune.prune(database, 30, dry_run=True)
    assert foretold == prune.prune(database, 30, dry_run=True)
    assert foretold == prune.prune(database, 30)
    assert foretold["syncs"] == foretold["rejects"] == foretold["requests"] == 1


def test_a_second_time_finds_nothing(database: Database) -> None:
    _grow_old(database)
    prune.prune(database, 30)
    assert prune.prune(database, 30) == _NOTHING


def test_history_offers_and_counters_are_never_touched(database: Database) -> None:
    _grow_old(database)
    untouched = ("emag_offer_history", "emag_product_offers", "emag_products", "emag_account_figures", "emag_counters")
    before = [rows(database, f"SELECT * FROM {table} ORDER BY 1, 2") for table in untouched]
    prune.prune(database, 0)
    assert before == [rows(database, f"SELECT * FROM {table} ORDER BY 1, 2") for table in untouched]


def test_many_rows_go_in_batches(database: Database) -> None:
    _execute(
        database,
        """INSERT INTO emag_requests (sent_at, account_type, resource, outcome, seconds, bytes)
           SELECT now() - interval '31 days', 'main', 'product_offer/read', 'ok', 0.1, 10
           FROM generate_series(1, 12000)""",
    )
    assert prune.prune(database, 30)["requests"] == 12000


def test_rows_that_somebody_has_locked_are_left_for_the_next_day(database: Database) -> None:
    _call(database, 31)
    _call(database, 31)
    with database.transaction() as tx:
        tx.run("SELECT 1 FROM emag_requests LIMIT 1 FOR UPDATE")
        assert prune.prune(database, 30)["requests"] == 1
    assert prune.prune(database, 30)["requests"] == 1


def test_syncs_go_on_beside_it_and_lose_nothing(database: Database) -> None:
    over = threading.Event()
    removed: list[dict[str, int]] = []

    def prune_again_and_again() -> None:
        while not over.is_set():
            removed.append(prune.prune(database, 0))

    pruning = threading.Thread(target=prune_again_and_again)
    pruning.start()
    try:
        for number in range(1, 16):
            done = sync(database, [offer(one, general_stock=number) for one in range(50)], rejects=[_reject(99)])
            assert (done.created + done.updated, done.offers, done.quarantined) == (50, 50, 1)
    finally:
        over.set()
        pruning.join()
    assert sum(found["syncs"] for found in removed) > 0
    (history,) = rows(database, "SELECT count(*) FROM emag_offer_history")
    assert history[0] == 15 * 50
