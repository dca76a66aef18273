import os
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.partitions.utils.multi import get_tags_from_multi_partition_key

from emag_pipeline.errors import PermanentError
from emag_pipeline.local import surroundings
from emag_pipeline.local.surroundings import environment
from emag_pipeline.settings import load_settings


@pytest.fixture
def instance(tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    """The instance as every process of the pipeline opens it."""
    settings = load_settings({"EMAG_HOME": str(tmp_path)}, env_file=None)
    home = surroundings.prepare(tmp_path)
    for name, value in environment(settings, home, "postgresql://unused", empty_url, date(2026, 10, 1)).items():
        monkeypatch.setenv(name, value)
    return dg.DagsterInstance.get()


def test_the_installed_dagster_accepts_the_configuration(instance: dg.DagsterInstance) -> None:
    with instance:
        assert instance.run_monitoring_max_runtime_seconds == 7500
        assert (instance.run_retries_enabled, instance.run_retries_max_retries) == (True, 2)
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert not instance.nux_enabled
        assert not instance.telemetry_enabled


def test_one_run_an_account(instance: dg.DagsterInstance) -> None:
    with instance:
        limits = instance.get_concurrency_config().run_queue_config.tag_concurrency_limits
    assert {"key": "dagster/partition", "value": {"applyLimitPerUniqueValue": True}, "limit": 1} in limits


def test_runs_at_once_follow_the_accounts_and_the_cores_or_the_setting(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with instance:
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 10
    many = {"EMAG_ACCOUNTS": ",".join(f"shop{number}" for number in range(32))}
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert load_settings(many, env_file=None).concurrent_runs == 16
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert load_settings(many, env_file=None).concurrent_runs == 36
    chosen = load_settings({"EMAG_MAX_CONCURRENT_RUNS": "3"}, env_file=None)
    assert chosen.concurrent_runs == 3
    monkeypatch.setenv("EMAG_MAX_CONCURRENT_RUNS", "3")
    with dg.DagsterInstance.get() as another:
        assert another.get_concurrency_config().run_queue_config.max_concurrent_runs == 3


def test_a_backfill_of_days_leaves_room_for_syncs(instance: dg.DagsterInstance) -> None:
    with instance:
        queue = instance.get_concurrency_config().run_queue_config
    (days,) = [one for one in queue.tag_concurrency_limits if one["key"] == "dagster/partition/day"]
    assert days["limit"] < queue.max_concurrent_runs
    key = dg.MultiPartitionKey({"account": "main", "day": "2026-01-01"})
    assert days["key"] in get_tags_from_multi_partition_key(key)


def test_the_files_are_renewed_at_each_start(tmp_path: Path) -> None:
    home = surroundings.prepare(tmp_path)
    before = home.workspace.read_bytes()
    home.workspace.write_text("spoilt")
    assert surroundings.prepare(tmp_path).workspace.read_bytes() == before


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "dagster").touch()
    with pytest.raises(PermanentError) as caught:
        surroundings.prepare(tmp_path)
    assert str(tmp_path / "dagster") in caught.value.where
    assert os.sep in caught.value.where
