"""Borders that import contracts cannot draw: import-linter knows foreign modules by their first name only."""

import ast
from pathlib import Path

import pytest

from emag_pipeline_tests.house.imports import imported

_PACKAGE = Path(__file__).parents[2] / "emag_pipeline"
_HTTP = {"http.client", "urllib.request"}
#: Outside of `marketplace` and the sandbox, and why.
_SPEAKS_HTTP = {
    "monitoring/outbox.py": "sends alerts to the webhook",
    "admin/doctor/machine.py": "asks whether a program of this machine listens on a port",
    "local/programs.py": "asks whether a program of `up` is ready",
}
#: What code without I/O, clock and chance may use.
_PURE = {
    "array",
    "bisect",
    "collections",
    "collections.abc",
    "dataclasses",
    "enum",
    "heapq",
    "itertools",
    "math",
    "typing",
}
_IMPURE_BUILTINS = {"open", "input", "print", "exec", "eval", "compile", "__import__", "breakpoint"}


def _impurities(source: str) -> set[str]:
    used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    foreign = {module for module, _ in imported(source) if not module.startswith("emag_pipeline.sync.completeness")}
    return (foreign - _PURE) | (used & _IMPURE_BUILTINS)


def test_what_a_scan_reads_next_is_decided_without_io_clock_or_chance() -> None:
    modules = sorted((_PACKAGE / "sync" / "completeness").glob("*.py"))
    assert len(modules) > 10
    found = {path.name: _impurities(path.read_text(encoding="utf-8")) for path in modules}
    assert {name: impure for name, impure in found.items() if impure} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from os import urandom",
        "from emag_pipeline.store.engine import Database",
        "rows = open('/etc/hosts')",
    ],
)
def test_impure_code_is_found(source: str) -> None:
    assert _impurities(source)


def _speaks_http(source: str) -> bool:
    return any(module in _HTTP or f"{module}.{name}" in _HTTP for module, name in imported(source))


@pytest.mark.parametrize(
    "line", ["import http.client", "from http import client", "from urllib.request import Request"]
)
def test_each_way_to_speak_http_is_found(line: str) -> None:
    assert _speaks_http(line)


def test_http_of_the_standard_library_is_spoken_by_few() -> None:
    speaking = {
        path.relative_to(_PACKAGE).as_posix()
        for path in sorted(_PACKAGE.rglob("*.py"))
        if _speaks_http(path.read_text(encoding="utf-8"))
    }
    inside = {name for name in speaking if name.startswith(("marketplace/", "sandbox/"))}
    assert inside
    assert speaking - inside == set(_SPEAKS_HTTP)
