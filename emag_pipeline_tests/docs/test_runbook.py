"""docs/runbook.md has an answer to every alert and error, and names only commands that exist."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from dagster._core.events import RunFailureReason

from emag_pipeline import errors
from emag_pipeline.cli.main import application
from emag_pipeline.dagster_runs import daemon, past_runs
from emag_pipeline.local import child
from emag_pipeline.monitoring import dagster_incidents, metric_list
from emag_pipeline.sync import liveness

_ROOT = Path(__file__).parents[2]
_PAGES = [
    _ROOT / "docs/runbook.md",
    _ROOT / "docs/glossary.md",
    _ROOT / "docs/architecture.md",
    _ROOT / "CONTRIBUTING.md",
    *sorted(page for folder in ("how-to", "decisions") for page in (_ROOT / "docs" / folder).glob("*.md")),
]
_RUNBOOK = _PAGES[0].read_text(encoding="utf-8")
_CODE = re.compile(r"`([^`\n]+)`|^(?: {4}|\$ )(.+)$", re.MULTILINE)
_PROGRAM = re.compile(r"(?:^|[\s/])emag-pipeline ([a-z][^|;&>]*)")
_LITERAL = re.compile(r"""error_class\s*=\s*["'](\w+)["']""")


def _stored_classes() -> list[str]:
    """Every name that the code itself may write into a column `error_class` of any table, wherever it takes it from.

    Names of defects are Python's and nobody's list; the heading "Any other name" is theirs.
    """
    ours = {
        name
        for name, one in vars(errors).items()
        if isinstance(one, type) and issubclass(one, BaseException) and one is not errors.PipelineError
    }
    written = {
        name
        for file in sorted((_ROOT / "emag_pipeline").rglob("*.py"))
        for name in _LITERAL.findall(file.read_text(encoding="utf-8"))
    }
    labels = {*metric_list.LAST_FAILURE.labels["error_class"], *metric_list.REQUEST_ERRORS.labels["error_class"]}
    by_dagster = {past_runs.RUN_DIED, past_runs.UNKNOWN_ERROR, *(reason.value for reason in RunFailureReason)}
    found = {*liveness.ERROR_CLASSES.values(), daemon.NOT_STORED, *dagster_incidents.PASSING}
    return sorted(ours | written | found | by_dagster | (labels - {metric_list.OTHER}))


_ERRORS = _stored_classes()


def _alerts() -> list[str]:
    groups = yaml.safe_load((_ROOT / "deploy/prometheus/rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]


def _command_lines() -> list[tuple[str, str]]:
    """Each `emag-pipeline COMMAND …` in code of any page, and the page."""
    found = set()
    for page in _PAGES:
        for span in _CODE.finditer(page.read_text(encoding="utf-8")):
            found.update((match.strip(), page.name) for match in _PROGRAM.findall(span[1] or span[2]))
    return sorted(found)


def _section(name: str) -> str:
    """The text under a heading of the third level; empty when there is none."""
    found = re.search(rf"^### {name}$(.*?)(?=^##|\Z)", _RUNBOOK, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def test_every_alert_says_what_it_means_what_to_look_at_and_what_to_do() -> None:
    for name in _alerts():
        words = [re.match(r"\*\*(Means|Look at|Do)\b", line) for line in _section(name).splitlines()]
        assert [word[1] for word in words if word] == ["Means", "Look at", "Do"], name


def test_there_are_no_alerts_that_prometheus_does_not_know() -> None:
    assert set(re.findall(r"^### (Emag\w+)$", _RUNBOOK, re.MULTILINE)) == set(_alerts())


@pytest.mark.parametrize("name", _ERRORS)
def test_every_error_says_what_it_means(name: str) -> None:
    assert _section(name).startswith("**Means:**")


def test_there_are_no_errors_that_the_code_does_not_know() -> None:
    _, _, under = _RUNBOOK.partition("\n## Errors\n")
    assert set(re.findall(r"^### (\w+)$", under, re.MULTILINE)) == set(_ERRORS)


@pytest.mark.parametrize(("line", "page"), _command_lines())
def test_every_command_exists_and_takes_these_options(line: str, page: str) -> None:
    name, *words = shlex.split(line.replace("…", ""))
    commands: Any = typer.main.get_command(application())
    command = commands.commands[name]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("-")} <= known | {"--help"}


def test_every_deploy_command_exists_and_takes_these_options() -> None:
    lines = {
        line for page in _PAGES for line in re.findall(r"deploy/deploy ([a-z]+(?:[^\n`|;]*))", page.read_text("utf-8"))
    }
    assert lines
    for line in lines:
        name, *words = shlex.split(line.split(" -- ")[0])
        command = [sys.executable, _ROOT / "deploy/deploy", name, "--help"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert [word for word in words if word.startswith("--") and word not in said] == [], line


def test_pages_name_only_files_that_exist() -> None:
    for page in _PAGES:
        text = page.read_text(encoding="utf-8")
        for name in re.findall(r"(?<![/\w])((?:docs|deploy|emag_pipeline)/[\w./-]+\.\w+)", text):
            assert (_ROOT / name).exists(), f"{page.name}: {name}"


def test_the_time_that_a_program_of_up_has_to_be_ready_is_named() -> None:
    root = Path(__file__).parents[2]
    for page in (root / "README.md", root / "docs/runbook.md"):
        assert f"{child.START_SECONDS:.0f} seconds" in page.read_text(encoding="utf-8"), page.name
