"""The dashboard's file is what the code makes, Grafana's own model reads it, and its queries ask for what there is."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import dashboard
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.deploy.test_prometheus import needs_promtool
from emag_pipeline_tests.monitoring.expositions import eventful, exposition, series

_PROVISIONING = Path(dashboard.__file__).parent / "provisioning"
_FILE = dashboard.PATH.read_text(encoding="utf-8")


def _panels() -> list[Any]:
    return [panel for panel in json.loads(_FILE)["panels"] if panel["type"] != "row"]


def _queries() -> list[str]:
    variables = [one["query"] for one in json.loads(_FILE)["templating"]["list"] if one["type"] == "query"]
    asked = [target["expr"] for panel in _panels() for target in panel["targets"]]
    return asked + [re.sub(r"label_values\((\w+), (\w+)\)", r"count by (\2) (\1)", query) for query in variables]


def _labels_used(query: str) -> Iterator[str]:
    """The labels that a query selects or groups by; a grouping is checked against all metrics of its query."""
    yield from re.findall(r"(\w+)(?:=~|!=|!~|=)\"", query)
    for group in re.findall(r"\b(?:by|group_left) \(([\w, ]*)\)", query):
        yield from (label for label in group.split(", ") if label)


def test_the_file_is_what_the_code_makes() -> None:
    assert dashboard.text() == _FILE, "run `python -m deploy.grafana.dashboard`"


def test_grafanas_model_reads_the_file_without_losing_or_changing_a_key() -> None:
    read = Dashboard.from_json(json.loads(_FILE))
    assert JSONEncoder(sort_keys=True, indent=1).encode(read) + "\n" == _FILE


def test_every_panel_says_what_to_do_and_where_its_data_is_from() -> None:
    for panel in _panels():
        assert panel["description"].endswith(".")
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["targets"]


def test_every_metric_and_label_of_a_query_is_one_that_the_exporter_really_tells(database: Database) -> None:
    eventful(database)
    labels: dict[str, set[str]] = {"up": {"job"}}
    for name, pairs in series(exposition(database)):
        labels.setdefault(name, set()).update(label for label, _ in pairs)
    for query in _queries():
        metrics = set(re.findall(r"\b(emag_\w+|up)\b(?![\"=])", query))
        assert metrics, query
        assert metrics <= set(labels), query
        assert set(_labels_used(query)) <= set().union(*(labels[metric] for metric in metrics)), query


@needs_promtool
@pytest.mark.parametrize("query", _queries())
def test_every_query_is_promql(query: str, tmp_path: Path) -> None:
    asked = query.replace("$__rate_interval", "2m").replace("$account", "main")
    rules = {"groups": [{"name": "query", "rules": [{"record": "asked", "expr": asked}]}]}
    (tmp_path / "query.yml").write_text(yaml.safe_dump(rules))
    subprocess.run(["promtool", "check", "rules", "query.yml"], cwd=tmp_path, check=True, capture_output=True)


def test_grafana_is_told_of_prometheus_and_of_the_dashboards_folder() -> None:
    (source,) = yaml.safe_load((_PROVISIONING / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["type"] == "prometheus"
    (provider,) = yaml.safe_load((_PROVISIONING / "dashboards" / "emag_pipeline.yaml").read_text())["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
