"""The alert rules, judged by Prometheus' own tool, and held against what the exporter really tells."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from emag_pipeline.monitoring.metric_list import METRICS
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.monitoring.expositions import eventful, exposition

_ROOT = Path(__file__).parents[2]
_FILES = _ROOT / "deploy" / "prometheus"

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian: prometheus) checks the rules"
)


def _promtool(*arguments: str, text: str = "") -> str:
    done = subprocess.run(
        ["promtool", *arguments], cwd=_FILES, input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _rules() -> list[Any]:
    (group,) = yaml.safe_load((_FILES / "rules.yml").read_text())["groups"]
    return list(group["rules"])


def _tested() -> list[Any]:
    tests = yaml.safe_load((_FILES / "rules_test.yml").read_text())["tests"]
    return [expected for test in tests for expected in test["alert_rule_test"]]


@needs_promtool
def test_the_configuration_is_prometheus_own_with_its_rules() -> None:
    assert "13 rules found" in _promtool("check", "rules", "rules.yml")
    assert "SUCCESS" in _promtool("check", "config", "prometheus.yml")


@needs_promtool
def test_each_alert_fires_when_it_should_and_only_then() -> None:
    assert "SUCCESS" in _promtool("test", "rules", "rules_test.yml")


@needs_promtool
def test_the_exposition_is_clean(database: Database) -> None:
    eventful(database)
    assert _promtool("check", "metrics", text=exposition(database)) == ""


def test_each_alert_is_tried_as_firing_and_as_silent() -> None:
    for name in {rule["alert"] for rule in _rules()} - {"EmagDeadMansSwitch"}:
        outcomes = {bool(expected["exp_alerts"]) for expected in _tested() if expected["alertname"] == name}
        assert outcomes == {True, False}, name


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_each_alert_says_what_is_wrong_what_to_do_and_where_to_read_on(rule: Any) -> None:
    told = rule["annotations"]
    assert set(told) == {"summary", "remedy", "runbook"}
    assert told["summary"].endswith(".")
    assert told["remedy"].endswith(".")
    path, _, anchor = told["runbook"].partition("#")
    assert anchor == rule["alert"].lower()
    assert f"### {rule['alert']}\n" in (_ROOT / path).read_text(encoding="utf-8")


def test_the_rules_use_only_metrics_that_the_exporter_tells() -> None:
    used = {name for rule in _rules() for name in re.findall(r"\bemag_\w+", rule["expr"])} - {"emag_pipeline"}
    assert used <= {metric.name for metric in METRICS}
