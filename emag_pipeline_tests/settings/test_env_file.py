"""A `.env` that is not ours, or that others may write, decides nothing."""

import os
from datetime import date
from pathlib import Path

import pytest

from emag_pipeline.errors import SettingsError
from emag_pipeline.local.surroundings import DagsterHome, environment
from emag_pipeline.settings import given_variables, load_settings
from emag_pipeline.settings.env_file import IS_READ
from emag_pipeline_tests.embedded.users import STRANGER, as_root


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / ".env"
    file.write_text("EMAG_SYNC_MAX_PAGES=7\nEMAG_API_PASSWORD=geheim\nEMAG_API_USERNAME=u\n")
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(("mode", "who"), [(0o620, "its group"), (0o664, "its group"), (0o602, "everybody")])
def test_one_that_others_may_write_is_refused(file: Path, mode: int, who: str) -> None:
    file.chmod(mode)
    for read in (load_settings, given_variables):
        with pytest.raises(SettingsError, match=f"{file} can be written by {who}.*chmod 600 {file}") as caught:
            read({}, file)
        assert "geheim" not in str(caught.value)


@as_root
def test_one_of_another_user_is_refused(file: Path) -> None:
    os.chown(file, STRANGER, STRANGER)
    with pytest.raises(SettingsError, match=f"{file} belongs to nobody"):
        load_settings({}, file)


@as_root
def test_a_link_is_judged_by_what_it_leads_to(file: Path) -> None:
    os.chown(file, STRANGER, STRANGER)
    link = file.parent / "link" / ".env"
    link.parent.mkdir()
    link.symlink_to(file)
    with pytest.raises(SettingsError, match="belongs to nobody"):
        load_settings({}, link)


def test_one_that_others_may_only_read_is_read(file: Path) -> None:
    file.chmod(0o644)
    assert load_settings({}, file).max_pages == 7


def test_malformed_lines_are_named_by_file_and_number_without_their_text(file: Path) -> None:
    file.write_text("EMAG_UI_PORT=x\ngeheim geheim\n# fine\n'EMAG=\nEMAG_API_PASSWORD\n")
    with pytest.raises(SettingsError) as caught:
        load_settings({}, file)
    told = [problem.message for problem in caught.value.problems]
    assert [line.split(" is not")[0] for line in told[:3]] == [f"{file}: line {number}" for number in (2, 4, 5)]
    assert told[3].startswith("EMAG_UI_PORT is 'x'")
    assert "geheim" not in str(caught.value)


def test_one_that_is_not_utf_8_is_named_by_file_and_line(file: Path) -> None:
    file.write_bytes(b"EMAG_SYNC_MAX_PAGES=7\nEMAG_API_PASSWORD=\xff\n")
    with pytest.raises(SettingsError, match=f"{file}: line 2 is not UTF-8"):
        load_settings({}, file)


def test_settings_say_which_file_was_read(file: Path) -> None:
    assert load_settings({}, file).env_file == file
    assert load_settings({}, file.parent / "other").env_file is None


def test_children_get_what_the_file_gave_and_read_none(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sync` runs its children elsewhere: credentials of a `.env` must not be lost on the way."""
    settings = load_settings({"EMAG_SYNC_MAX_PAGES": "8"}, file)
    given = environment(settings, DagsterHome(tmp_path), "x", "y", date(2026, 10, 1), {"EMAG_SYNC_MAX_PAGES": "8"})
    assert (given["EMAG_API_PASSWORD"], given["EMAG_SYNC_MAX_PAGES"]) == ("geheim", "8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(IS_READ, given[IS_READ])
    assert load_settings({}).env_file is None


def test_the_files_secrets_are_not_shown(file: Path) -> None:
    settings = load_settings({}, file)
    assert "geheim" not in f"{settings!r} {settings} {settings.model_dump_json()}"
