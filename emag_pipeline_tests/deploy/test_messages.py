"""The deploy script runs without the package and recognises an empty database by what a release says of it."""

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.errors import SchemaMismatch
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.databases import drop

_DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def empty(cluster: EmbeddedServer) -> Iterator[Database]:
    database = Database(cluster.url("never_migrated"))
    yield database
    database.close()
    drop(cluster, "never_migrated")


def test_a_database_without_a_schema_is_told_as_the_deploy_script_expects(
    empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(_DEPLOY), *sys.path])
    expected = runpy.run_path(str(_DEPLOY / "deployer" / "programs.py"))["NEVER_MIGRATED"]
    with pytest.raises(SchemaMismatch, match=expected):
        migrate.check(empty)
