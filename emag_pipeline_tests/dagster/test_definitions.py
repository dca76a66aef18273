import os
import subprocess
import sys

import dagster as dg
import pytest

from emag_pipeline.definitions import defs

_REPOSITORY = defs.get_repository_def()
_AUDIT = {"scan_is_complete", "offer_ids_are_unique", "rejects_within_tolerance", "volume_has_not_collapsed"}
_PARTITIONS = {"offers": {"main", "fbe"}, "marts": {"main", "fbe"}, "reference": {"sandbox"}}


def test_the_names_that_others_rely_on_are_there() -> None:
    graph = defs.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.get_all_asset_keys()} >= {
        "staged_offers", "offers", "offer_issues", "buy_button", "low_stock", "daily_assortment", "categories",
        "vat_rates", "handling_times",
    }  # fmt: skip
    assert {key.name for key in graph.asset_check_keys} >= _AUDIT | {
        "issues_reconcile_with_offers", "buy_button_reconciles_with_offers", "low_stock_reconciles_with_offers",
        "assortment_reconciles_with_offers", "categories_exist_for_all_offers", "vat_rates_exist_for_all_offers",
    }  # fmt: skip
    assert {job.name for job in _REPOSITORY.get_all_jobs() if not job.name.startswith("__")} >= {
        "refresh_offers", "refresh_marts", "refresh_daily_assortment", "refresh_reference", "maintenance",
    }  # fmt: skip
    assert {sensor.name for sensor in _REPOSITORY.sensor_defs} >= {
        "stuck_syncs", "stale_accounts", "stale_marts", "stale_reference", "run_failures",
    }  # fmt: skip
    assert {schedule.name for schedule in _REPOSITORY.schedule_defs} == {
        "refresh_offers_main", "refresh_offers_fbe", "refresh_reference_sandbox", "maintenance_daily",
    }  # fmt: skip


def test_every_asset_is_partitioned_by_account_or_marketplace_owned_and_described() -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.partitions_def is not None
        by_day = isinstance(spec.partitions_def, dg.MultiPartitionsDefinition)
        keys = {"main", "fbe"} if by_day else set(spec.partitions_def.get_partition_keys())
        assert keys == _PARTITIONS[str(spec.group_name)]
        assert spec.owners
        assert spec.kinds
        assert spec.description


def test_only_the_audit_blocks() -> None:
    graph = defs.resolve_asset_graph()
    assert {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking} == _AUDIT


@pytest.mark.parametrize("name", ["refresh_offers_main", "refresh_offers_fbe", "refresh_reference_sandbox"])
def test_schedules_are_on_and_off_round_times(name: str) -> None:
    schedule = _REPOSITORY.get_schedule_def(name)
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert int(str(schedule.cron_schedule).split()[0]) % 5 != 0


def test_runs_are_retried_whole() -> None:
    assert defs.resolve_job_def("refresh_offers").run_tags["dagster/retry_strategy"] == "ALL_STEPS"


def test_each_asset_names_its_table_in_the_schema_that_is_configured() -> None:
    program = (
        "from emag_pipeline.definitions import defs\n"
        "for spec in defs.resolve_all_asset_specs():\n"
        "    print(spec.key.to_user_string(), spec.metadata.get('dagster/table_name'))\n"
    )
    environment = {**os.environ, "DB_SCHEMA": "erp"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    named = dict(line.split() for line in done.stdout.splitlines())
    assert named.pop("offer_report") == "None", "it is a file"
    assert len(named) > 8
    assert {name.partition(".")[0] for name in named.values()} == {"erp"}
