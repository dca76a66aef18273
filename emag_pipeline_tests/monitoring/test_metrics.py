"""What the exporter tells, from a database that holds it."""

import math
import re

import pytest

from emag_pipeline import errors
from emag_pipeline.definitions import defs
from emag_pipeline.monitoring.metric_list import LAST_FAILURE, METRICS, REQUEST_ERRORS, rendered
from emag_pipeline.monitoring.silence import SENSORS
from emag_pipeline.settings import load_settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import Said, record_check_result
from emag_pipeline.sync import ledger, request_log, staging, staging_room
from emag_pipeline.sync.liveness import ERROR_CLASSES
from emag_pipeline.sync.rate_budget import DatabaseBudget
from emag_pipeline_tests.monitoring.expositions import exposition, series, value
from emag_pipeline_tests.sync.offers import call, offer
from emag_pipeline_tests.sync.surprises import surprise
from emag_pipeline_tests.sync.syncs import begin, rows, stage, stage_page, sync


def test_every_metric_of_the_list_is_told_with_its_type_and_help_from_the_first_scrape_on(database: Database) -> None:
    text = exposition(database)
    for metric in METRICS:
        assert f"# HELP {metric.name} {metric.help}\n" in text
        assert f"# TYPE {metric.name} {metric.kind}\n" in text


def test_every_counter_starts_at_zero_for_every_account(database: Database) -> None:
    told = series(exposition(database))
    for metric in METRICS:
        if metric.kind == "counter" and "account_type" in metric.labels:
            zeros = {labels for (name, labels), number in told.items() if name == metric.name and number == 0}
            assert {dict(labels)["account_type"] for labels in zeros} == {"main", "fbe"}, metric.name
    assert value(exposition(database), "emag_sync_alerts_total", outcome="failed") == 0


def test_an_account_has_as_many_series_as_the_document_says(database: Database) -> None:
    def series_of_main() -> int:
        return sum("main" in dict(labels).values() for _, labels in series(exposition(database)))

    least, checks, further, most = map(int, re.search(_FIGURES, rendered(), re.S).groups())  # type: ignore[union-attr]
    assert series_of_main() == least
    reference = {"resource": "category/read"}
    request_log.save(database, [call(**reference)])
    assert series_of_main() == least + further
    classes = REQUEST_ERRORS.labels["error_class"]
    request_log.save(database, [call(outcome="error", error_class=one, **reference) for one in classes])
    assert series_of_main() == least + most
    judged = [key.asset_key.to_user_string() for key in defs.resolve_asset_graph().asset_check_keys]
    assert len([asset for asset in judged if asset not in _REFERENCE]) == checks


_FIGURES = r"has (\d+) from the start, 1 more for each check .*?\((\d+) checks\), (\d+) to (\d+) more for each resource"
_REFERENCE = ("categories", "vat_rates", "handling_times")


def test_calls_and_their_errors_are_counted_by_account_and_resource(database: Database) -> None:
    request_log.save(database, [call(), call(status=429, outcome="error", error_class="RateLimited")])
    text = exposition(database)
    read = {"account_type": "main", "resource": "product_offer/read"}
    assert value(text, "emag_sync_requests_total", outcome="ok", **read) == 1
    assert value(text, "emag_sync_requests_total", outcome="error", **read) == 1
    assert value(text, "emag_sync_request_errors_total", error_class="RateLimited", **read) == 1


def test_counters_survive_the_request_logs_retention(database: Database) -> None:
    request_log.save(database, [call()])
    with database.transaction() as tx:
        tx.run("DELETE FROM emag_requests")
    read = {"account_type": "main", "resource": "product_offer/read"}
    assert value(exposition(database), "emag_sync_requests_total", outcome="ok", **read) == 1


def test_latency_buckets_hold_all_that_is_below_them(database: Database) -> None:
    request_log.save(database, [call(seconds=seconds) for seconds in (0.2, 0.25, 0.3, 99.0)])
    text = exposition(database)
    name, read = "emag_sync_request_latency_seconds", {"account_type": "main", "resource": "product_offer/read"}
    assert value(text, f"{name}_bucket", le="0.1", **read) == 0
    assert value(text, f"{name}_bucket", le="0.25", **read) == 2
    assert value(text, f"{name}_bucket", le="60.0", **read) == 3
    assert value(text, f"{name}_bucket", le="+Inf", **read) == value(text, f"{name}_count", **read) == 4
    assert value(text, f"{name}_sum", **read) == pytest.approx(99.75)


def test_what_is_not_known_becomes_other_and_an_account_that_left_is_no_longer_told(database: Database) -> None:
    request_log.save(
        database,
        [
            call(resource="brand_new/read", outcome="error", error_class="Surprise"),
            call(account_type="former"),
        ],
    )
    text = exposition(database)
    unknown = {"account_type": "main", "resource": "other", "error_class": "other"}
    assert value(text, "emag_sync_request_errors_total", **unknown) == 1
    assert "Surprise" not in text
    assert "brand_new" not in text
    assert "former" not in text


def _processed(database: Database) -> float:
    return value(exposition(database), "emag_sync_offers_processed_total", account_type="main")


def test_offers_are_counted_once_as_their_windows_become_durable_over_syncs(database: Database) -> None:
    first = begin(database)
    staging.plan(database, first, pages=2, offers=3)
    stage_page(database, first, 1, [offer(1), offer(2)], rows=2)
    assert _processed(database) == 2
    stage_page(database, first, 2, [offer(2), offer(3)], rows=3)
    assert _processed(database) == 3
    ledger.end(database, first, "failed", error_class="ScanNotProven", message="m", remedy="r")
    stage(database, begin(database), [offer(1), offer(2)])
    assert _processed(database) == 5


def test_a_resumed_sync_counts_none_of_its_offers_twice(database: Database) -> None:
    first = begin(database)
    stage(database, first, [offer(1), offer(2)])
    ledger.end(database, first, "failed", error_class="ApiUnavailable", message="m", remedy="r")
    assert begin(database).resumed
    assert _processed(database) == 2


@pytest.mark.parametrize(("status", "number"), [("failed", 3), ("timeout", 4), ("cancelled", 0)])
def test_the_run_status_is_that_of_the_newest_sync(status: str, number: int, database: Database) -> None:
    assert value(exposition(database), "emag_sync_run_status", account_type="main") == 0
    lease = begin(database)
    assert value(exposition(database), "emag_sync_run_status", account_type="main") == 1
    ledger.end(database, lease, status, error_class="ApiUnavailable", message="m", remedy="r")
    assert value(exposition(database), "emag_sync_run_status", account_type="main") == number


def test_a_failure_names_its_error_until_a_sync_succeeds(database: Database) -> None:
    ledger.end(database, begin(database), "failed", error_class="RefusedError", message="m", remedy="r")
    refused = {"account_type": "main", "error_class": "RefusedError"}
    assert value(exposition(database), "emag_sync_last_failure", **refused) == 1
    sync(database, [offer(1)])
    assert not [name for name, _ in series(exposition(database)) if name == "emag_sync_last_failure"]


def test_a_publish_shows_when_it_was_and_what_there_is(database: Database) -> None:
    published = sync(database, [offer(1), offer(2), offer(3, is_saleable=False)])
    sync(database, [offer(1), offer(3, is_saleable=False)], gone=[2])
    text = exposition(database)
    states = ("saleable", "not_saleable", "deleted")
    assert [value(text, "emag_offers", account_type="main", state=state) for state in states] == [1, 1, 1]
    assert value(text, "emag_sync_run_status", account_type="main") == 2
    assert value(text, "emag_sync_last_success_timestamp_seconds", account_type="main") >= math.floor(
        published.published_at.timestamp()
    )
    assert value(text, "emag_sync_last_success_timestamp_seconds", account_type="fbe") == 0


def test_a_running_sync_shows_its_pages_and_how_long_it_has_stood_still(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    with database.transaction() as tx:
        tx.run(
            """UPDATE emag_offer_syncs
               SET progressed_at = now() - interval '2 hours', heartbeat_at = now() - interval '1 minute'"""
        )
    text = exposition(database)
    assert value(text, "emag_sync_pages_expected", account_type="main") == 1
    assert value(text, "emag_sync_pages_done", account_type="main") == 1
    assert value(text, "emag_sync_progress_age_seconds", account_type="main") == pytest.approx(7200, abs=60)
    assert value(text, "emag_sync_heartbeat_age_seconds", account_type="main") == pytest.approx(60, abs=30)
    ledger.end(database, lease, "failed", error_class="StuckSync", message="m", remedy="r")
    assert value(exposition(database), "emag_sync_progress_age_seconds", account_type="main") == 0


def test_the_rate_budget_shows_the_share_of_the_last_minutes_slots(database: Database) -> None:
    budget = DatabaseBudget(database, 3, 180)
    for _ in range(90):
        budget.reserve(load_settings({}, env_file=None).account("main").login)
    text = exposition(database)
    # half of 180 in a minute; what was reserved before a full minute may have aged a little
    assert value(text, "emag_sync_rate_budget_used_ratio", account_type="main") == pytest.approx(0.5, abs=0.1)
    assert value(text, "emag_sync_rate_budget_used_ratio", account_type="fbe") == 0


def test_slots_of_a_minute_ago_no_longer_count(database: Database) -> None:
    DatabaseBudget(database, 3, 180).reserve("main")
    with database.transaction() as tx:
        tx.run("UPDATE emag_rate_budget SET minute = minute - interval '2 minutes'")
    assert value(exposition(database), "emag_sync_rate_budget_used_ratio", account_type="main") == 0


def test_the_monitor_is_on_while_every_sensor_ticks(database: Database) -> None:
    assert value(exposition(database), "emag_sync_monitor_status") == 0
    for sensor in SENSORS:
        monitoring_tables.note_tick(database, sensor)
    assert value(exposition(database), "emag_sync_monitor_status") == 1
    with database.transaction() as tx:
        tx.run(
            "UPDATE emag_sensor_ticks SET ticked_at = now() - interval '1 day' WHERE sensor = :name",
            name=SENSORS[0],
        )
    text = exposition(database)
    assert value(text, "emag_sync_monitor_status") == 0
    assert value(text, "emag_sync_sensor_age_seconds", sensor=SENSORS[0]) == pytest.approx(86400, abs=60)


def test_open_incidents_are_counted_by_kind(database: Database) -> None:
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_incidents (subject, kind, message, remedy, closed_at)
               VALUES ('main', 'stale', 'm', 'r', NULL), ('fbe', 'stale', 'm', 'r', NULL),
                      ('main', 'stuck', 'm', 'r', now())"""
        )
    text = exposition(database)
    assert value(text, "emag_sync_incidents_open", kind="stale") == 2
    assert value(text, "emag_sync_incidents_open", kind="stuck") == 0


def test_stuck_and_recovered_syncs_are_counted(database: Database) -> None:
    name, who = "emag_sync_stuck_syncs_total", (("account_type", "main"),)
    with database.transaction() as tx:
        monitoring_tables.add_to_counters(tx, {(name, who): 2})
    assert value(exposition(database), name, account_type="main") == 2


def test_the_bounds_of_the_settings_are_told_for_alert_rules(database: Database) -> None:
    text = exposition(database, EMAG_SYNC_STALE_AFTER_HOURS="2", EMAG_SYNC_HEARTBEAT_TIMEOUT="30")
    assert value(text, "emag_sync_bound_seconds", bound="stale") == 7200
    assert value(text, "emag_sync_bound_seconds", bound="dead") == 30


def test_without_the_schema_it_tells_that_the_figures_cannot_be_read_and_nothing_else(empty_url: str) -> None:
    database = Database(empty_url)
    told = series(exposition(database))
    assert {name for name, _ in told} == {"emag_sync_database_up", "emag_sync_scrape_seconds"}
    assert told["emag_sync_database_up", ()] == 0
    database.close()


def test_fields_that_are_not_as_known_are_counted_by_kind_until_a_sync_completes_without_them(
    database: Database,
) -> None:
    surprise(database, "sale_price")
    surprise(database, "currency")
    surprise(database, "loyalty", "unknown field", account="fbe")
    text = exposition(database)
    kinds = {"account_type": "main", "kind": "unexpected_type"}
    assert value(text, "emag_sync_answer_surprises", **kinds) == 2
    assert value(text, "emag_sync_answer_surprises", account_type="main", kind="unknown_field") == 0
    assert value(text, "emag_sync_answer_surprises", account_type="fbe", kind="unknown_field") == 1
    sync(database, [offer(1)])
    assert value(exposition(database), "emag_sync_answer_surprises", **kinds) == 0


def test_no_figure_looks_through_offers_calls_or_old_syncs(database: Database) -> None:
    names = ("emag_product_offers", "emag_requests", "emag_offer_states", staging_room.name("emag_scan_offers", "main"))
    sync(database, [offer(1)])
    request_log.save(database, [call()])
    with database.transaction() as tx:
        tx.run("SELECT pg_stat_force_next_flush()")
    scans = """SELECT relname, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) AS scans FROM pg_stat_all_tables
               WHERE schemaname = 'app' AND relname = ANY(:names) ORDER BY relname"""
    before = [tuple(row) for row in rows(database, scans, names=list(names))]
    exposition(database)
    with database.transaction() as tx:
        tx.run("SELECT pg_stat_force_next_flush()")
    assert [tuple(row) for row in rows(database, scans, names=list(names))] == before


def test_every_error_that_can_end_a_sync_has_a_label_value_of_its_own() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.PipelineError)]
    ends = {kind.__name__ for kind in kinds if not issubclass(kind, errors.LeaseError)}
    known = set(LAST_FAILURE.labels["error_class"])
    assert ends - {"PipelineError", "TransientError"} <= known
    assert set(ERROR_CLASSES.values()) <= known


def test_checks_are_told_by_how_grave_they_are_and_accounts_that_left_by_name(database: Database) -> None:
    for account in ("main", "old"):
        sync(database, [offer(1)], account=account)
    for check, severity, passed in (("a", "ERROR", True), ("b", "WARN", False), ("c", "ERROR", False)):
        record_check_result(database, Said("main", check, "offers", severity, passed, "x"))
    text = exposition(database)
    told = [value(text, "emag_sync_check_status", subject="main", check=check) for check in "abc"]
    assert told == [0, 1, 2]
    assert value(text, "emag_sync_account_left", account_type="old") == 1
    assert ("emag_sync_account_left", (("account_type", "main"),)) not in series(text)
