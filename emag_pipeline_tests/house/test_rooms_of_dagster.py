"""Dagster stays in `dagster.py` of each slice, `definitions.py` and `dagster_runs`; its private modules in the last."""

import re
from collections.abc import Iterator
from pathlib import Path

from emag_pipeline_tests.house.imports import imported

_ROOT = Path(__file__).parents[2]
_PACKAGE = _ROOT / "emag_pipeline"
_OF_DAGSTER = re.compile(r"dagster(_\w+)?(\.|$)")
#: Besides `dagster` itself.
_PUBLIC = {"dagster_postgres"}
#: Outside of the rooms, and why.
_APART = {
    "local/run.py": "the program that executes a run",
    "local/backfill.py": "the program that executes the runs of a backfill",
    "monitoring/dagster_incidents.py": "reads how Dagster's other jobs, its ticks and its checks ended",
}


def _imports() -> Iterator[tuple[str, str]]:
    """Each file's imports of Dagster: its path in the package, and the module."""
    for file in sorted(_PACKAGE.rglob("*.py")):
        path = str(file.relative_to(_PACKAGE))
        yield from ((path, module) for module, _ in imported(file.read_text("utf-8")) if _OF_DAGSTER.match(module))


def _is_room(path: str) -> bool:
    return path == "definitions.py" or path.startswith("dagster_runs/") or path.endswith("/dagster.py")


def test_dagster_is_imported_in_its_rooms_only() -> None:
    assert {path for path, _ in _imports() if not _is_room(path)} == set(_APART)


def _is_private(module: str) -> bool:
    """Whether Dagster does not document it: of its packages, `dagster` and `dagster_postgres` as such are public."""
    package, _, rest = module.partition(".")
    return "._" in module or (package != "dagster" and (bool(rest) or package not in _PUBLIC))


def test_private_modules_of_dagster_are_imported_in_dagster_runs_only_and_each_has_its_line() -> None:
    private = {module: path for path, module in _imports() if _is_private(module)}
    assert {module.partition(".")[0] for module in private} >= {"dagster", "dagster_postgres", "dagster_shared"}
    assert {path for path in private.values() if not path.startswith("dagster_runs/")} == set()
    documented = re.findall(
        r"^\| `(dagster\w*\.[\w.]+)` \|", (_ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE
    )
    assert sorted(documented) == sorted(private)
