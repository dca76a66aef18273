from uuid import uuid4

from emag_pipeline.store.engine import Database
from emag_pipeline.sync import request_log
from emag_pipeline_tests.sync.offers import call
from emag_pipeline_tests.sync.syncs import rows


def test_every_call_is_kept_and_counters_only_grow(database: Database) -> None:
    failed = call(status=429, outcome="error", error_class="RateLimited", error_body="{}")
    request_log.save(database, [call(), failed])
    request_log.save(database, [call()])
    kept = rows(database, "SELECT status, error_class FROM emag_requests ORDER BY request_id")
    assert [tuple(row) for row in kept] == [(200, None), (429, "RateLimited"), (200, None)]
    counted = {
        row.outcome: row.value
        for row in rows(
            database,
            """SELECT labels ->> 'outcome' AS outcome, value FROM emag_counters
               WHERE name = 'emag_sync_requests_total'""",
        )
    }
    assert counted == {"ok": 2, "error": 1}


def test_a_latency_falls_into_the_first_bucket_that_holds_it(database: Database) -> None:
    request_log.save(database, [call(seconds=0.2), call(seconds=99.0)])
    buckets = rows(
        database,
        """SELECT labels ->> 'le' AS le FROM emag_counters
           WHERE name = 'emag_sync_request_latency_seconds_bucket' ORDER BY 1""",
    )
    assert [row.le for row in buckets] == ["+Inf", "0.25"]


def test_a_batch_that_is_saved_again_is_kept_and_counted_once(database: Database) -> None:
    batch = uuid4()
    for _ in range(2):
        request_log.save(database, [call(), call()], batch)
    request_log.save(database, [call()])
    kept, counted = rows(
        database,
        """SELECT count(*) FROM emag_requests UNION ALL
           SELECT value FROM emag_counters WHERE name = 'emag_sync_requests_total'""",
    )
    assert (kept[0], counted[0]) == (3, 3)
