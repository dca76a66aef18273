"""docs/architecture.md and CONTRIBUTING.md name paths, `make` targets and slices that exist."""

import re
import tomllib
from pathlib import Path

import pytest

from emag_pipeline.settings import Settings

_ROOT = Path(__file__).parents[2]
_PACKAGE = _ROOT / "emag_pipeline"
_ARCHITECTURE, _CONTRIBUTING, _README = (
    _ROOT / name for name in ("docs/architecture.md", "CONTRIBUTING.md", "README.md")
)
_PAGES = [_ARCHITECTURE, _CONTRIBUTING]

_CODE = re.compile(r"`([^`\n]+)`|^ {4}(.+)$", re.MULTILINE)
_PATH = re.compile(r"(?<![\w/.<])(\.?\w[\w.-]*(?:/[\w.-]+)+|\w+\.(?:py|sql|toml|ya?ml|md|html))(?![\w/<])")
_TARGET = re.compile(r"(?<![\w-])make ([a-z][a-z-]*)")
_DEFINED = set(re.findall(r"^([a-z-]+):", (_ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def code_in(page: Path) -> list[str]:
    """What a page shows as code, in a line or as a block."""
    return [span or line for span, line in _CODE.findall(page.read_text(encoding="utf-8"))]


def missing_paths(code: str) -> list[str]:
    """The paths in a piece of code that lead nowhere, from the checkout or from the package."""
    named = [path for path in _PATH.findall(code) if not path.startswith("EMAG_HOME/")]
    return [path for path in named if not _exists(path)]


def _exists(path: str) -> bool:
    if "/" in path:
        return (_ROOT / path).exists() or (_PACKAGE / path).exists()
    return (_ROOT / path).exists() or next(_PACKAGE.rglob(path), None) is not None


def targets_in(code: str) -> set[str]:
    """The targets that a piece of code has `make` reach."""
    return set(_TARGET.findall(code))


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_every_path_that_is_named_exists(page: Path) -> None:
    code = code_in(page)
    assert sum(len(_PATH.findall(one)) for one in code) > 50
    assert [path for one in code for path in missing_paths(one)] == []


@pytest.mark.parametrize("page", [*_PAGES, _README], ids=lambda page: page.stem)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    named = set().union(*map(targets_in, code_in(page)))
    assert named
    assert named - _DEFINED == set()


@pytest.mark.parametrize(
    "code", ["sync/nowhere.py", "emag_pipeline/db", "nowhere.sql", "python deploy/nowhere", ".ci/go"]
)
def test_a_path_that_leads_nowhere_is_found(code: str) -> None:
    assert missing_paths(code) == [code.split()[-1]]


@pytest.mark.parametrize("page", [_CONTRIBUTING, _README], ids=lambda page: page.stem)
def test_what_ci_runs_is_what_a_newcomer_is_told(page: Path) -> None:
    run = targets_in((_ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert run >= {"check", "test", "slow", "services", "drills"}
    assert run - set().union(*map(targets_in, code_in(page))) == set()


def test_the_slices_stand_in_the_order_of_the_import_contract() -> None:
    configuration = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = configuration["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contracts if one["type"] == "layers")
    folders = {path.parent.name for path in _PACKAGE.glob("*/__init__.py")}
    ordered = [[name for name in layer.split(" | ") if name in folders] for layer in layers]
    rows = re.findall(r"^\| (`\w+`(?: \\\| `\w+`)*) \| .+ \| .+ \|$", _ARCHITECTURE.read_text(encoding="utf-8"), re.M)
    told = [re.findall(r"`(\w+)`", row) for row in rows]
    slices = [row for row in told if set(row) <= folders]
    assert slices == [layer for layer in ordered if layer]
    assert folders == {name for row in slices for name in row}


@pytest.mark.parametrize("file", ["README.md", ".env.example"])
def test_every_setting_is_explained(file: str) -> None:
    said = set(re.findall(r"[A-Z][A-Z_]+", (_ROOT / file).read_text(encoding="utf-8")))
    assert {str(field.alias) for field in Settings.model_fields.values() if field.alias} - said == set()
