from pathlib import Path

import pytest

from emag_pipeline.dagster_runs import instance
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.local import surroundings
from emag_pipeline.settings import Settings, load_settings


def _settings(home: Path) -> Settings:
    url = "postgresql://dagster:s3cret@127.0.0.1:1/none"
    return load_settings({"EMAG_HOME": str(home), "DATABASE_URL": url, "DAGSTER_PG_URL": url}, env_file=None)


def test_a_home_in_which_dagster_was_never_started_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="never started here"), instance.opened(_settings(tmp_path)):
        pass


def test_a_database_that_cannot_be_reached_is_said_without_its_password(tmp_path: Path) -> None:
    surroundings.prepare(tmp_path)
    unreachable = pytest.raises(DatabaseUnavailable, match="correct DAGSTER_PG_URL")
    with unreachable as said, instance.opened(_settings(tmp_path)):
        pass
    assert "refused" in str(said.value)
    assert "s3cret" not in str(said.value)
