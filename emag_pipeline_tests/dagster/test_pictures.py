import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from emag_pipeline import runs
from emag_pipeline.assets import pictures
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.db.engine import Database
from emag_pipeline.definitions import defs
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings

_LONGEST = 25_000


@pytest.fixture
def at_home(settings: Settings, tmp_path: Path) -> Settings:
    """The same settings, with a directory of this test's own as EMAG_HOME."""
    return settings.model_copy(update={"home": tmp_path})


def _execute(job: str, partition: str | dg.MultiPartitionKey, settings: Settings) -> dict[str, dict[str, Any]]:
    """The metadata of each materialization of a run, by asset."""
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"pipeline": Pipeline(settings)}
        resolved = defs.resolve_job_def(job)
        result = resolved.execute_in_process(partition_key=partition, instance=instance, resources=resources)
        made = [event.materialization for event in result.filter_events(lambda event: event.is_step_materialization)]
        return {one.asset_key.to_user_string(): {k: v.value for k, v in one.metadata.items()} for one in made}


@pytest.fixture
def published(at_home: Settings, market: SandboxServer) -> Iterator[dict[str, dict[str, Any]]]:
    market.add_fault("server_error", resource="product_offer/read", count=1)
    yield _execute(runs.REFRESH_JOB, "main", at_home)


def _is_picture(text: object) -> bool:
    return isinstance(text, str) and text.startswith("![") and "](data:image/svg+xml;base64," in text


def test_a_scan_is_told_in_numbers_and_a_sparkline_without_a_picture(published: dict[str, dict[str, Any]]) -> None:
    staged = published["staged_offers"]
    assert (staged["calls_failed"], staged["calls_over_rate_limit"]) == (1, 0)
    assert set(staged["answers_over_time"]) <= set("▁▂▃▄▅▆▇█")
    assert len(staged["answers_over_time"]) == 24
    assert not [value for metadata in published.values() for value in metadata.values() if _is_picture(value)]


def test_marts_and_report_show_pictures_that_are_small_enough_to_store(
    published: dict[str, dict[str, Any]], at_home: Settings
) -> None:
    made = _execute(runs.MARTS_JOB, "main", at_home)
    for asset, name in (("offer_issues", "picture"), ("buy_button", "picture"), ("low_stock", "picture")):
        assert _is_picture(made[asset][name])
    assert _is_picture(made["offer_report"]["scan"])
    drawn = [value for metadata in made.values() for value in metadata.values() if _is_picture(value)]
    assert len(drawn) == 4
    assert max(map(len, drawn)) < _LONGEST


def test_the_report_is_written_after_the_marts_with_its_numbers_beside_it(
    published: dict[str, dict[str, Any]], at_home: Settings
) -> None:
    told = _execute(runs.MARTS_JOB, "main", at_home)["offer_report"]
    file = at_home.home / "reports" / "main.html"
    assert Path(told["path"]) == file
    assert told["kilobytes"] == round(file.stat().st_size / 1000, 1)
    assert (told["offers"], told["saleable"]) == (320, published["offers"]["saleable"])
    assert "as published" in file.read_text(encoding="utf-8")


def test_the_newest_day_has_pictures_and_a_day_before_it_sparklines_only(
    published: dict[str, dict[str, Any]], at_home: Settings, database: Database
) -> None:
    today = datetime.now(UTC).date()
    key = dg.MultiPartitionKey({"account": "main", "day": today.isoformat()})
    newest = _execute(runs.ASSORTMENT_JOB, key, at_home)["daily_assortment"]
    assert _is_picture(newest["picture"])
    assert _is_picture(newest["price_moves_picture"])
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO {schema}.emag_daily_assortment
                   (day, account_type, offers, saleable_offers, stock, stock_value, arrivals, departures, price_moves)
               VALUES (:tomorrow, 'main', 1, 1, 1, 1, 0, 0, 0)""",
            tomorrow=today + timedelta(days=1),
        )
    assert pictures.assortment(database, "main", today) == {"offers_by_day": "█", "saleable_by_day": "█"}


def test_a_picture_that_cannot_be_drawn_is_left_out_with_a_warning(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = Database(database_url, "no_such_schema")
    with caplog.at_level(logging.WARNING, "emag_pipeline"):
        assert pictures.issues(elsewhere, "main") == {}
    elsewhere.close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "picture_not_drawn" in caplog.text
