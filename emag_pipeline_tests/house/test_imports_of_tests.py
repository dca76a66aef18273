"""What tests share is in modules named by what they hold. A conftest holds fixtures and hooks; nothing imports it."""

import ast
from pathlib import Path

import pytest

from emag_pipeline_tests.house.imports import imported

_TESTS = Path(__file__).parents[1]


def _of_a_conftest(source: str) -> list[str]:
    names = [f"{module}.{name}" for module, name in imported(source)]
    return [name for name in names if "conftest" in name.split(".")]


def test_nothing_is_imported_from_a_conftest() -> None:
    modules = {path.relative_to(_TESTS).as_posix(): path for path in sorted(_TESTS.rglob("*.py"))}
    assert len(modules) > 300
    found = {name: _of_a_conftest(path.read_text(encoding="utf-8")) for name, path in modules.items()}
    assert {name: fixtures for name, fixtures in found.items() if fixtures} == {}


def _unshared(source: str) -> list[str]:
    """Functions and classes of a conftest that are neither fixtures nor pytest's hooks."""
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            is_fixture = any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)
            if not is_fixture and not node.name.startswith("pytest_"):
                found.append(node.name)
    return found


def test_a_conftest_holds_fixtures_and_hooks_only() -> None:
    files = {path.parent.name: path.read_text(encoding="utf-8") for path in sorted(_TESTS.rglob("conftest.py"))}
    assert len(files) > 8
    assert {room: others for room, text in files.items() if (others := _unshared(text))} == {}


def test_a_helper_in_a_conftest_is_found() -> None:
    fixture = "@pytest.fixture(scope='module')\ndef market(): ...\n"
    assert _unshared(f"{fixture}def pytest_configure(): ...\nclass Shop: ...\ndef wait(): ...") == ["Shop", "wait"]


@pytest.mark.parametrize(
    "line",
    [
        "from emag_pipeline_tests.conftest import administer",
        "from emag_pipeline_tests import conftest",
        "import emag_pipeline_tests.sync.conftest as fixtures",
        "def late():\n    from .conftest import market",
    ],
)
def test_each_way_to_import_a_conftest_is_found(line: str) -> None:
    assert _of_a_conftest(line)
