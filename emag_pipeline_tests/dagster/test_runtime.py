"""How long a run may take follows its account's last count when it is launched, whoever launches it."""

from pathlib import Path

import pytest

from emag_pipeline.definitions import defs
from emag_pipeline.refresh.dagster import most_seconds
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.settings.accounts import SAFETY_MARGIN
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import accounts, staging
from emag_pipeline_tests.sync.syncs import begin

_AROUND = 600


def _settings(url: str, **variables: str) -> Settings:
    return load_settings({"DATABASE_SYNC_URL": url, "EMAG_SANDBOX": "1", **variables}, env_file=None)


def test_a_catalogue_within_the_settings_time_has_that(database: Database, database_url: str) -> None:
    assert most_seconds("main", _settings(database_url)) == 2 * 3600 + _AROUND
    staging.plan(database, begin(database), pages=120, offers=12_000)
    assert most_seconds("main", _settings(database_url)) == 2 * 3600 + _AROUND


def test_a_larger_one_has_twice_what_its_calls_need(database: Database, database_url: str) -> None:
    staging.plan(database, begin(database), pages=20_000, offers=2_000_000)
    assert most_seconds("main", _settings(database_url)) == pytest.approx(2 * 25_004 * SAFETY_MARGIN / 3 + _AROUND)
    assert most_seconds("fbe", _settings(database_url)) == 2 * 3600 + _AROUND, "its own count decides"
    accounts.first_host(database, "main", "ro", "RON", "127.0.0.1")
    accounts.note_page_size(database, "main", 50)
    assert most_seconds("main", _settings(database_url)) == pytest.approx(2 * 50_004 * SAFETY_MARGIN / 3 + _AROUND)


def test_before_the_first_count_the_bound_of_pages_decides(database_url: str, database: Database) -> None:
    variables = {"EMAG_SYNC_MAX_PAGES": "20000", "EMAG_SYNC_TIMEOUT_HOURS": "0.1"}
    assert most_seconds("main", _settings(database_url, **variables)) == pytest.approx(
        2 * 25_004 * SAFETY_MARGIN / 3 + _AROUND
    )


def test_a_database_that_is_away_keeps_no_run_from_being_launched(tmp_path: Path) -> None:
    settings = _settings("postgresql://me@127.0.0.1:1/emag", EMAG_HOME=str(tmp_path))
    assert most_seconds("main", settings) == 2 * 3600 + _AROUND


def test_every_launch_of_a_partition_carries_it() -> None:
    tags = defs.resolve_job_def("refresh_offers").get_tags_for_partition_key("main", None)
    assert int(tags["dagster/max_runtime"]) >= 2 * 3600 + _AROUND
