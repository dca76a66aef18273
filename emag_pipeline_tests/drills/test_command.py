"""`emag-pipeline drill`."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from emag_pipeline.cli.practice import drill
from emag_pipeline.drills.scenarios import all_scenarios
from emag_pipeline.embedded import places

pytestmark = pytest.mark.slow

_APP = typer.Typer()
_APP.command()(drill)


def _drill(*arguments: str) -> Result:
    return CliRunner().invoke(_APP, arguments)


def test_the_list_names_every_drill_and_plays_none() -> None:
    said = _drill("--list").stdout
    assert [line.split()[0] for line in said.splitlines()] == [one.name for one in all_scenarios()]


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory for temporary files; its name is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="d-") as directory:
        Path(directory).chmod(0o711)  # as /tmp: PostgreSQL's user may enter it
        monkeypatch.setattr("tempfile.tempdir", directory)
        yield Path(directory)


def test_a_drill_plays_on_storage_of_its_own_and_leaves_nothing(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_SYNC_URL", "postgresql://nobody@127.0.0.1:1/users_own")
    monkeypatch.setenv("EMAG_HOME", str(empty / "users_own"))
    monkeypatch.setattr(places, "ROOTS", empty / "roots")
    done = _drill("page-bound", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"]) == (0, True)
    (one,) = told["drills"]
    assert (one["name"], one["ok"], one["lost_rows"], one["wrong_deletions"]) == ("page-bound", True, 0, 0)
    assert one["observed"] == "exit 5 PageBoundExceeded; next run published"
    assert list(empty.iterdir()) == []
