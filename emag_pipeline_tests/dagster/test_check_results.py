"""What checks say is kept where everybody can read it; a red one is an incident until it passes."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emag_pipeline.monitoring.dagster import run_failures
from emag_pipeline.monitoring.health import health_page, health_status
from emag_pipeline.monitoring.incidents import open_incidents
from emag_pipeline.review import deviations
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import CheckResult, Said, check_results, record_check_result
from emag_pipeline_tests.dagster.definitions_snapshot import recorded
from emag_pipeline_tests.dagster.runs import Run, RunJob, executed, sensor_context
from emag_pipeline_tests.monitoring.receiver import Receiver
from emag_pipeline_tests.store.ageing import published_ago
from emag_pipeline_tests.sync.syncs import rows

_GUIDE = Path(__file__).parents[2] / "docs" / "checks.md"
_SEVERITY = re.compile(r"^\| `(\w+)` \|.*?\| (blocks|ERROR|WARN|the same)\b", re.MULTILINE)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def _look(instance: dg.DagsterInstance, settings: Settings, receiver: Receiver) -> None:
    told = settings.model_copy(update={"alert_webhook_url": receiver.url})
    run_failures.evaluate_tick(sensor_context(told, instance))


def _results(database: Database, *subjects: str) -> dict[str, CheckResult]:
    return {result.check: result for result in check_results(database, subjects)}


def _health(database: Database, settings: Settings) -> Any:
    return health_page(health_status(database, settings))


def _checks_of(*jobs: str) -> set[str]:
    return {check for job in jobs for check in recorded()["jobs"][job]["checks"]}


def _told_severities() -> dict[str, str]:
    """What the guide says of each check; a check that blocks is an ERROR."""
    told: dict[str, str] = {}
    for check, severity in _SEVERITY.findall(_GUIDE.read_text(encoding="utf-8")):
        told[check] = {"blocks": "ERROR", "the same": ["", *told.values()][-1]}.get(severity, severity)
    return told


def _review(settings: Settings, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return executed("refresh_marts", "main", settings, instance)


def _in_currency(database: Database, currency: str) -> None:
    with database.transaction() as tx:
        tx.run(
            """UPDATE emag_product_offers SET currency = :currency WHERE emag_offer_id =
               (SELECT min(emag_offer_id) FROM emag_product_offers WHERE account_type = 'main')""",
            currency=currency,
        )
        # marts follow publishes; what is changed beside them is seen by one that is computed from scratch
        tx.run("DELETE FROM emag_mart_refreshes")


def test_each_check_has_the_severity_that_the_guide_tells(run: Run, run_job: RunJob) -> None:
    today = f"main|{datetime.now(UTC).date()}"
    results = [
        run("main"),
        run_job("refresh_marts", "main"),
        run_job("refresh_daily_assortment", today),
        run_job("refresh_reference", "sandbox"),
    ]
    found = {one.check_name: one.severity.value for result in results for one in result.get_asset_check_evaluations()}
    assert found == _told_severities()
    assert found.keys() == recorded()["checks"].keys()


def test_every_check_of_a_refresh_and_its_review_is_kept_by_account(
    run: Run, settings: Settings, instance: dg.DagsterInstance, database: Database
) -> None:
    refreshed = run("main")
    review = _review(settings, instance)
    found = _results(database, "main")
    asked = [*refreshed.get_asset_check_evaluations(), *review.get_asset_check_evaluations()]
    assert found.keys() == {one.check_name for one in asked} == _checks_of("refresh_offers", "refresh_marts")
    for one in asked:
        kept = found[one.check_name]
        assert (kept.passed, kept.severity, kept.sentence) == (one.passed, one.severity.value, one.description)
        assert kept.asset == one.asset_key.to_user_string()
        assert (kept.failing_since is None) == one.passed
    assert found["scan_is_complete"].run_id == refreshed.run_id
    assert _results(database, "fbe") == {}


def test_a_warning_keeps_its_remedy_and_a_sample_and_is_no_incident(
    market: SandboxServer,
    run: Run,
    settings: Settings,
    instance: dg.DagsterInstance,
    database: Database,
    receiver: Receiver,
) -> None:
    first, *_ = market.truth("main")
    market.edit("main", first["id"], sale_price="0")
    run("main")
    _review(settings, instance)
    _look(instance, settings, receiver)
    kept = _results(database, "main")["prices_are_plausible"]
    assert (kept.passed, kept.severity) == (False, "WARN")
    assert "correct it in the marketplace" in kept.remedy
    ((findings, sample),) = rows(
        database,
        "SELECT findings, sample FROM emag_check_results WHERE check_name = 'prices_are_plausible'",
    )
    assert findings == kept.findings > 0
    assert first["id"] in [row["emag_offer_id"] for row in sample]
    assert open_incidents(database) == []
    told = _health(database, settings)
    assert "prices_are_plausible" in [one["check"] for one in told["checks"]]
    assert "main" not in [one["subject"] for one in told["problems"]]


def test_a_red_check_is_told_once_with_its_remedy_and_once_when_it_passes(
    run: Run, settings: Settings, instance: dg.DagsterInstance, database: Database, receiver: Receiver
) -> None:
    run("main")
    _in_currency(database, "EUR")
    _review(settings, instance)
    for _ in range(2):
        _look(instance, settings, receiver)
    name = "currencies_are_the_marketplaces of main"
    (incident,) = [one for one in open_incidents(database) if one.subject == name]
    (alert,) = receiver.taken
    assert (incident.kind, alert["kind"], alert["state"], alert["subject"]) == ("red", "red", "open", name)
    assert alert["text"].startswith(f"{name} fails: ")
    assert "leave out offers in another currency than most" in alert["text"]
    told = _health(database, settings)
    assert [one["subject"] for one in told["incidents"]] == [name]
    assert "currencies_are_the_marketplaces" in [one["check"] for one in told["checks"]]
    _in_currency(database, "RON")
    _review(settings, instance)
    for _ in range(2):
        _look(instance, settings, receiver)
    assert open_incidents(database) == []
    assert receiver.taken[1]["text"].startswith(f"{name} recovered after ")
    assert len(receiver.taken) == 2


def test_a_refused_audit_keeps_what_to_do_and_has_one_incident_only(
    market: SandboxServer,
    run: Run,
    settings: Settings,
    instance: dg.DagsterInstance,
    database: Database,
    receiver: Receiver,
) -> None:
    run("main")
    market.remove("main", [offer["id"] for offer in market.truth("main")][:200])
    run("main")
    _look(instance, settings, receiver)
    kept = _results(database, "main")["volume_has_not_collapsed"]
    assert (kept.passed, kept.severity) == (False, "ERROR")
    assert "emag-pipeline approve" in kept.remedy
    assert [one.kind for one in open_incidents(database)] == ["refused"]


def test_freshness_is_kept_while_nothing_runs(
    run: Run, settings: Settings, instance: dg.DagsterInstance, database: Database, receiver: Receiver
) -> None:
    run("main")
    assert _results(database, "main")["offers_are_fresh"].passed
    published_ago(database, timedelta(hours=7))
    _look(instance, settings, receiver)
    stale = _results(database, "main")["offers_are_fresh"]
    assert (stale.passed, stale.severity, stale.run_id) == (False, "ERROR", None)
    since = stale.failing_since
    _look(instance, settings, receiver)
    assert _results(database, "main")["offers_are_fresh"].failing_since == since
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    deviations.accept(database, "main", "offers_are_fresh", [], reason="closed", until=tomorrow, by="ana")
    _look(instance, settings, receiver)
    assert _results(database, "main")["offers_are_fresh"].passed


def test_a_day_has_an_answer_of_its_own(database: Database) -> None:
    for day, passed in ((date(2026, 11, 1), False), (date(2026, 11, 2), True)):
        said = Said(
            "main", "assortment_reconciles_with_offers", "daily_assortment", "ERROR", passed, "x", part=f"{day}"
        )
        record_check_result(database, said)
    assert [(one.part, one.passed) for one in check_results(database, ["main"])] == [
        ("2026-11-01", False),
        ("2026-11-02", True),
    ]
    assert check_results(database, ["main"])[0].name == "assortment_reconciles_with_offers of main on 2026-11-01"
