from pathlib import Path

from emag_pipeline_tests.cli.commands import emag_pipeline


def test_the_first_migrates_and_the_second_has_nothing_to_do(empty_url: str, tmp_path: Path) -> None:
    first, second = (emag_pipeline(tmp_path, "migrate", DATABASE_SYNC_URL=empty_url) for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0)
    assert "migrated from nothing to" in first.stdout
    assert "already at" in second.stdout
    assert "schema app of postgresql://" in second.stdout, "without the name of our driver"
