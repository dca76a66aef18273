import os
from collections.abc import Callable
from pathlib import Path

import pytest

from emag_pipeline.admin.doctor import Verdict
from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import load_settings
from emag_pipeline.settings.home import claim
from emag_pipeline_tests.admin.doctors import diagnosed, found
from emag_pipeline_tests.embedded.users import STRANGER, as_root


def test_every_wrong_variable_is_listed_with_its_remedy_and_ends_with_2(tmp_path: Path) -> None:
    diagnosis = diagnosed(
        tmp_path,
        EMAG_API_USERNAME="seller",
        EMAG_FBE_API_PASSWORD="geheim",
        DATABASE_SYNC_URL="mysql://me:geheim@h/d",
        EMAG_SYNC_MAX_PAGES="many",
        EMAG_UI_PORT="0",
    )
    wrong = [one for one in diagnosis.findings if one.verdict is Verdict.BROKEN]
    assert {one.subject for one in wrong} == {"settings"}
    assert all(one.remedy for one in wrong)
    for text in (
        "EMAG_API_PASSWORD",
        "EMAG_FBE_API_USERNAME",
        "DATABASE_SYNC_URL",
        "EMAG_SYNC_MAX_PAGES",
        "EMAG_UI_PORT",
    ):
        assert sum(text in one.what + one.remedy for one in wrong) == 1
    assert diagnosis.exit_code == 2
    assert "geheim" not in str(diagnosis)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("EMAG_SYNC_MAXPAGES", "EMAG_SYNC_MAX_PAGES"),
        ("EMAG_FBE_API_PASWORD", "EMAG_FBE_API_PASSWORD"),
        ("DB_PASSWORD", "DB_PASS"),
        ("DB_PASSWRD", "DB_PASS"),
        ("DB_PWD", "DB_PASS"),
        ("DB_USR", "DB_USER"),
        ("DB_HOSTNAME", "DB_HOST"),
        ("DB_SHEMA", "DB_SCHEMA"),
        ("DATABASE_SYNC_URI", "DATABASE_SYNC_URL"),
        ("DATABSE_SYNC_URL", "DATABASE_SYNC_URL"),
        ("DATABSE_SNYC_URL", "DATABASE_SYNC_URL"),
        ("DATBASE_URL", "DATABASE_URL"),
        ("DAGSTR_PG_URL", "DAGSTER_PG_URL"),
        ("DAGSTER_PG_ULR", "DAGSTER_PG_URL"),
        ("EMGA_SYNC_MAX_PAGES", "EMAG_SYNC_MAX_PAGES"),
        ("EMG_HOME", "EMAG_HOME"),
        ("EMAGE_FBE_API_USERNAME", "EMAG_FBE_API_USERNAME"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_one_that_is_meant(tmp_path: Path, name: str, meant: str) -> None:
    finding = found(diagnosed(tmp_path, **{name: "geheim"}), "settings", name)
    assert (finding.verdict, finding.remedy) == (Verdict.WARNING, f"Did you mean {meant}?")
    assert "geheim" not in str(finding)


def test_every_variable_that_is_set_and_read_is_listed(tmp_path: Path) -> None:
    given = {
        "EMAG_API_PAGE_SIZE": "20",
        "EMAG_API_SILENCE_SECONDS": "90",
        "EMAG_API_CALL_SECONDS": "90",
        "EMAG_LANGUAGE": "en",
    }
    finding = found(diagnosed(tmp_path, **given), "settings", "variables set: ")
    assert [name for name in given if name not in finding.what] == []


def test_other_softwares_variables_are_its_own_affair(tmp_path: Path) -> None:
    others = (
        "DB_CONNECTION", "DB_DATABASE", "DB_POOL", "DB_SSL", "DB_URL", "DATABASES", "XDB_HOST", "DBHOST", "HOME",
        "PGHOST", "PGPASSWORD", "PGDATABASE", "PG_URL", "POSTGRES_URL", "SQLALCHEMY_DATABASE_URI", "TEST_DATABASE_URL",
        "DAGSTER_HOME", "DAGSTER_PG_HOST", "DAGSTER_PG_DB", "DAGSTER_GRPC_TIMEOUT_SECONDS", "EMAIL_HOST", "EMAIL_PORT",
        "EMACS_HOME", "IMAGE_VERSION", "GB_HOST", "DD_SITE", "REDIS_URL",
    )  # fmt: skip
    diagnosis = diagnosed(tmp_path, **dict.fromkeys(others, "x"))
    assert [one.subject for one in diagnosis.findings].count("settings") == 1


def test_credentials_of_an_account_that_is_left_out_are_noticed(tmp_path: Path) -> None:
    finding = found(diagnosed(tmp_path, EMAG_ACCOUNTS="main", EMAG_FBE_API_USERNAME="u"), "settings", "does not name")
    assert finding.what == "EMAG_FBE_API_USERNAME is set, but EMAG_ACCOUNTS does not name fbe"


@pytest.mark.parametrize(
    ("mode", "content", "verdict"),
    [
        (0o644, "EMAG_API_PASSWORD=geheim\n", Verdict.WARNING),
        (0o640, "DATABASE_SYNC_URL=postgresql://me:geheim@127.0.0.1:1/d\n", Verdict.WARNING),
        (0o600, "EMAG_API_PASSWORD=geheim\n", Verdict.OK),
        (0o644, "# EMAG_API_PASSWORD=\nEMAG_SYNC_MAX_PAGES=7\n", Verdict.OK),
    ],
)
def test_a_file_of_secrets_that_others_can_read_is_a_warning(
    tmp_path: Path, mode: int, content: str, verdict: Verdict
) -> None:
    file = tmp_path / ".env"
    file.write_text(content)
    file.chmod(mode)
    diagnosis = diagnosed(tmp_path, EMAG_API_USERNAME="u")
    assert found(diagnosis, ".env").verdict is verdict
    assert "geheim" not in str(diagnosis)


def test_a_file_of_others_is_broken_and_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("EMAG_API_PASSWORD=geheim\n")
    (tmp_path / ".env").chmod(0o666)
    diagnosis = diagnosed(tmp_path)
    (finding,) = diagnosis.findings
    assert f"{tmp_path / '.env'} can be written by everybody" in finding.what
    assert (finding.subject, finding.verdict, diagnosis.exit_code) == ("settings", Verdict.BROKEN, 2)


def _a_file(home: Path) -> None:
    home.write_text("x")


def _open_to_all(home: Path) -> None:
    home.mkdir()
    home.chmod(0o777)


def _of_another(home: Path) -> None:
    home.mkdir()
    os.chown(home, STRANGER, STRANGER)


@pytest.mark.parametrize("make", [_a_file, _open_to_all, pytest.param(_of_another, marks=as_root)])
def test_a_home_that_up_refuses_is_broken_in_the_same_words(tmp_path: Path, make: Callable[[Path], None]) -> None:
    home = tmp_path / "home"
    make(home)
    before = home.lstat()
    diagnosis = diagnosed(home)
    assert (home.lstat().st_mode, home.lstat().st_uid) == (before.st_mode, before.st_uid)
    with pytest.raises(SettingsError) as refused:
        claim(home)
    finding = found(diagnosis, "settings", "EMAG_HOME is ")
    assert (finding.verdict, f"{finding.what}. {finding.remedy}.") == (Verdict.BROKEN, refused.value.message)
    assert diagnosis.exit_code == 2
    assert not [one for one in diagnosis.findings if "emag-pipeline up" in one.remedy]
    assert found(diagnosis, "marketplace", "they need EMAG_HOME").verdict is Verdict.NOT_EXAMINED


def test_it_is_told_that_there_is_no_file(tmp_path: Path) -> None:
    diagnosis = diagnosed(tmp_path)
    assert f".env: none in {Path.cwd()}; " in found(diagnosis, "settings").what
    assert [one for one in diagnosis.findings if one.subject == ".env"] == []


def test_the_sandbox_beside_a_database_is_broken_unless_it_is_meant(tmp_path: Path, database_url: str) -> None:
    given = {"DATABASE_SYNC_URL": database_url, "EMAG_ACCOUNTS": "main"}
    diagnosis = diagnosed(tmp_path, **given, EMAG_SANDBOX="0")
    finding = found(diagnosis, "settings")
    with pytest.raises(SettingsError) as refused:
        load_settings({**given, "EMAG_SANDBOX": "0"}, env_file=None).require_marketplace()
    assert (finding.verdict, f"{finding.what}. {finding.remedy}.") == (Verdict.BROKEN, refused.value.message)
    assert diagnosis.exit_code == 2
    assert [one for one in diagnosis.findings if "8765" in one.what or "/api-3" in one.what] == []
    assert found(diagnosis, "database", "answers").verdict is Verdict.OK
    meant = diagnosed(tmp_path, **given)
    assert [one for one in meant.findings if "no credentials" in one.what] == []


def test_limits_that_end_living_syncs_are_warned_of(tmp_path: Path) -> None:
    diagnosis = diagnosed(tmp_path, EMAG_SYNC_STUCK_THRESHOLD_HOURS="0.001", EMAG_SYNC_HEARTBEAT_TIMEOUT="1")
    stuck = found(diagnosis, "settings", "EMAG_SYNC_STUCK_THRESHOLD_HOURS is 3.6 seconds, and one call may take 200")
    beat = found(diagnosis, "settings", "EMAG_SYNC_HEARTBEAT_TIMEOUT is 1 seconds")
    assert (stuck.verdict, beat.verdict) == (Verdict.WARNING, Verdict.WARNING)
