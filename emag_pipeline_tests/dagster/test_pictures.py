import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.definitions import defs
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.marts import pictures
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox

_LONGEST = 25_000
#: Shorter Markdown is shown by the UI, longer one stands behind a link.
_AT_ONCE = 1000

Made = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class _Told:
    """The metadata of each materialization of one publish and what follows it, by asset."""

    home: Path
    refresh: Made
    marts: Made
    assortment: Made


@pytest.fixture(scope="module")
def told(cluster: EmbeddedServer, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Told]:
    """An account is refreshed, with one call that fails; then its marts, its report and today's assortment."""
    with (
        copied(cluster, template, "pictures") as url,
        unlimited_sandbox(accounts={"main": 320}) as market,
    ):
        market.add_fault("server_error", resource="product_offer/read", count=1)
        settings = load_settings(
            {
                "DATABASE_SYNC_URL": url,
                "EMAG_API_BASE_URL": market.url,
                "EMAG_API_USERNAME": "main@sandbox.example",
                "EMAG_API_PASSWORD": "sandbox",
                "EMAG_API_REQUESTS_PER_SECOND": "1000",
                "EMAG_API_REQUESTS_PER_MINUTE": "60000",
                "EMAG_HOME": str(tmp_path_factory.mktemp("home")),
            },
            env_file=None,
        )
        today = dg.MultiPartitionKey({"account": "main", "day": datetime.now(UTC).date().isoformat()})
        yield _Told(
            settings.home,
            _execute(dagster_runs.REFRESH_JOB, "main", settings),
            _execute(dagster_runs.MARTS_JOB, "main", settings),
            _execute(dagster_runs.ASSORTMENT_JOB, today, settings),
        )


def _execute(job: str, partition: str, settings: Settings) -> Made:
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def(job).execute_in_process(
            partition_key=partition, instance=instance, resources={"pipeline": Pipeline(settings)}
        )
        made = [event.materialization for event in result.filter_events(lambda event: event.is_step_materialization)]
        return {one.asset_key.to_user_string(): {k: v.value for k, v in one.metadata.items()} for one in made}


def _is_picture(text: object) -> bool:
    return isinstance(text, str) and text.startswith("![") and "](data:image/svg+xml;base64," in text


def _pictures(made: Made) -> list[str]:
    return [value for metadata in made.values() for value in metadata.values() if _is_picture(value)]


def test_a_scan_is_told_in_numbers_and_a_picture_that_the_ui_shows_at_once(told: _Told) -> None:
    staged = told.refresh["staged_offers"]
    assert (staged["calls_failed"], staged["calls_over_rate_limit"]) == (1, 0)
    assert re.match(r"!\[[▁▂▃▄▅▆▇█]{24}\]\(data:image/svg", staged["answers_over_time"])
    assert _pictures(told.refresh) == [staged["answers_over_time"]]
    assert len(staged["answers_over_time"]) < _AT_ONCE


def test_marts_report_and_assortment_show_pictures_that_are_small_enough_to_store(told: _Told) -> None:
    for asset in ("offer_issues", "buy_button", "low_stock"):
        assert _is_picture(told.marts[asset]["picture"])
    assert _is_picture(told.marts["offer_report"]["scan"])
    assert _is_picture(told.assortment["daily_assortment"]["picture"])
    assert _is_picture(told.assortment["daily_assortment"]["price_moves_picture"])
    assert max(map(len, _pictures(told.marts) + _pictures(told.assortment))) < _LONGEST


def test_what_is_to_be_seen_at_once_is_short_enough_for_it(told: _Told) -> None:
    day = told.assortment["daily_assortment"]
    small = [day[name] for name in ("offers_by_day", "saleable_by_day", "price_moves_by_day")]
    small.append(told.marts["offer_issues"]["offers_by_issue"])
    assert all(map(_is_picture, small))
    assert max(map(len, small)) < _AT_ONCE
    assert "offers_by_cover" not in told.marts["low_stock"], "nothing has been sold yet"


def test_the_report_is_written_after_the_marts_with_its_numbers_beside_it(told: _Told) -> None:
    report, file = told.marts["offer_report"], told.home / "reports" / "main.html"
    assert Path(report["path"]) == file
    assert report["kilobytes"] == round(file.stat().st_size / 1000, 1)
    assert (report["offers"], report["saleable"]) == (320, told.refresh["offers"]["saleable"])
    assert "as published" in file.read_text(encoding="utf-8")


def test_a_day_before_the_newest_has_small_pictures_only(database: Database) -> None:
    today = datetime.now(UTC).date()
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_daily_assortment
                   (day, account_type, offers, saleable_offers, stock, stock_value, arrivals, departures, price_moves)
               SELECT d, 'main', 1, 1, 1, 1, 0, 0, 0 FROM unnest(CAST(:days AS date[])) d""",
            days=[today, today - timedelta(days=1)],
        )
    told = pictures.of_mart("daily_assortment", database, "main", today - timedelta(days=1))
    assert set(told) == {"offers_by_day", "saleable_by_day", "price_moves_by_day"}
    assert all(len(value.value) < _AT_ONCE for value in told.values())
    assert _is_picture(pictures.of_mart("daily_assortment", database, "main", today)["picture"].value)


def test_a_picture_that_cannot_be_drawn_is_left_out_with_a_warning(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = Database(database_url, "no_such_schema")
    with caplog.at_level(logging.WARNING, "emag_pipeline"):
        assert pictures.of_mart("offer_issues", elsewhere, "main") == {}
    elsewhere.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "picture_not_drawn" in caplog.text
