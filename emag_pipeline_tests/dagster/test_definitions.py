"""The loaded definitions are those of definitions_snapshot.yaml; what every one of its kind must have is said here."""

import os
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from emag_pipeline.definitions import defs
from emag_pipeline_tests.dagster.definitions_snapshot import differences, loaded, recorded

_AUDIT = {"scan_is_complete", "offer_ids_are_unique", "rejects_within_tolerance", "volume_has_not_collapsed"}


def test_exactly_what_was_reviewed_is_loaded() -> None:
    found = "\n".join(differences(recorded(), loaded()))
    assert not found, f"{found}\nIf that is meant: python -m emag_pipeline_tests.dagster.definitions_snapshot"


def _rename_an_asset(definitions: Any) -> None:
    definitions["assets"]["low_stocks"] = definitions["assets"].pop("low_stock")


def _drop_a_sensor(definitions: Any) -> None:
    del definitions["sensors"]["stale_marts"]


def _stop_a_schedule(definitions: Any) -> None:
    definitions["schedules"]["refresh_offers_bg"]["default_status"] = "STOPPED"


def _block_by_another_check(definitions: Any) -> None:
    definitions["checks"]["count_agrees"]["blocking"] = True


def _lose_a_dependency(definitions: Any) -> None:
    del definitions["assets"]["buy_button"]["deps"]["vat_rates"]


def _select_others(definitions: Any) -> None:
    assets = definitions["jobs"]["refresh_marts"]["assets"]
    assets[assets.index("offer_report")] = "vat_rates"


def _swap_partitions(definitions: Any) -> None:
    definitions["assets"]["offers"]["partitions"].reverse()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_rename_an_asset, ["assets.low_stock: gone", "assets.low_stocks: new"]),
        (_drop_a_sensor, ["sensors.stale_marts: gone"]),
        (_stop_a_schedule, ["schedules.refresh_offers_bg.default_status: 'STOPPED', recorded is 'RUNNING'"]),
        (_block_by_another_check, ["checks.count_agrees.blocking: True, recorded is False"]),
        (_lose_a_dependency, ["assets.buy_button.deps.vat_rates: gone"]),
        (_select_others, ["jobs.refresh_marts.assets: -offer_report +vat_rates"]),
        (_swap_partitions, ["assets.offers.partitions: ['bg', 'main'], recorded is ['main', 'bg']"]),
    ],
)
def test_a_difference_names_what_has_changed(change: Callable[[Any], None], told: list[str]) -> None:
    reviewed = recorded()
    changed = deepcopy(reviewed)
    change(changed)
    assert list(differences(reviewed, changed)) == told


def test_each_definition_is_described_in_the_ui() -> None:
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    graph = defs.resolve_asset_graph()
    checks = [graph.get_check_spec(key) for key in graph.asset_check_keys]
    described = [*defs.resolve_all_asset_specs(), *checks, *jobs, *repository.schedule_defs, *repository.sensor_defs]
    assert [one for one in described if not one.description] == []


def test_only_the_audit_blocks() -> None:
    assert {name for name, check in recorded()["checks"].items() if check["blocking"]} == _AUDIT


def test_schedules_are_off_round_times() -> None:
    minutes = {name: int(schedule["cron"].split()[0]) for name, schedule in recorded()["schedules"].items()}
    assert {name: minute for name, minute in minutes.items() if minute % 5 == 0} == {}


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
