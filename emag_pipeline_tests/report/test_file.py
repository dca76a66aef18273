from pathlib import Path

import pytest

from emag_pipeline.errors import PermanentError
from emag_pipeline.report import write


def test_a_report_replaces_the_one_before_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "reports" / "main.html"
    write(file, "old")
    file.chmod(0o644)
    write(file, "new ă")
    assert file.read_text(encoding="utf-8") == "new ă"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file], "nothing unfinished is left"


def test_what_cannot_be_written_is_said_with_a_remedy_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "main.html").mkdir()
    with pytest.raises(PermanentError, match=r"main\.html is a directory\. Give the name of a file in it"):
        write(tmp_path / "main.html", "text")
    assert [one.name for one in tmp_path.iterdir()] == ["main.html"]


def test_a_directory_that_cannot_be_made_is_said_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("no directory")
    with pytest.raises(PermanentError, match=r"main\.html: the report cannot be written: .*\. Free the path"):
        write(tmp_path / "reports" / "main.html", "text")


def test_a_text_that_no_file_can_hold_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path / "main.html", "\ud800")
    assert list(tmp_path.iterdir()) == []
