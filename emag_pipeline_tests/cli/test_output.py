"""Whatever the output and EMAG_HOME are: a sentence, never a traceback."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli import preloaded
from emag_pipeline_tests.cli.commands import FAST, emag_pipeline, environment
from emag_pipeline_tests.embedded.users import STRANGER, as_root, mode_of
from emag_pipeline_tests.local.ups import free_ports
from emag_pipeline_tests.sync.pasts import Past, good


def _sync(home: Path, database_url: str) -> "subprocess.CompletedProcess[str]":
    given = {
        "EMAG_HOME": str(home),
        "DATABASE_SYNC_URL": database_url,
        "EMAG_SANDBOX": "1",
        "EMAG_SANDBOX_PORT": str(*free_ports(1)),
        "EMAG_ACCOUNTS": "fbe",
        **FAST,
    }
    return emag_pipeline(home.parent, "sync", **given)


@pytest.mark.parametrize("arguments", [["roles"], ["doctor", "--json"], ["status", "--json"], ["explain", "main", "1"]])
def test_a_full_output_is_one_sentence(
    tmp_path: Path, database: Database, database_url: str, arguments: list[str]
) -> None:
    Past(database).publish(good(1))
    given = environment(tmp_path, DATABASE_SYNC_URL=database_url)
    done = preloaded.run(arguments, given, tmp_path, 120, {}, into=Path("/dev/full"))
    sentence = "emag-pipeline: the output cannot be written: No space left on device. Free disk space "
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert done.stderr.startswith(sentence)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_an_output_that_is_not_utf_8_loses_no_word(
    tmp_path: Path, database: Database, database_url: str, encoding: str
) -> None:
    Past(database).publish(good(1))
    given = {"DATABASE_SYNC_URL": database_url, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = emag_pipeline(tmp_path, "explain", "main", "1", **given)
    assert done.returncode == 0, done.stderr
    assert "+ in stock" in done.stdout
    told = emag_pipeline(tmp_path, "explain", "main", "1", "--json", **given)
    assert json.loads(told.stdout)["name"] == "Cafea măcinată 1"


def _command(command: str, tmp_path: Path) -> list[str]:
    return {"backup": ["backup", str(tmp_path / "x.dump")], "restore": ["restore", str(tmp_path / "file")]}.get(
        command, [command]
    )


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("up", "file"), ("sync", "of everybody"), ("migrate", "below a file"), ("migrate", "of everybody"),
        ("backup", "file"), ("restore", "a loop"),
    ],
)  # fmt: skip
def test_a_home_that_is_none_is_one_sentence(tmp_path: Path, command: str, kind: str, a_backup: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(a_backup.read_bytes())
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    (tmp_path / "public").mkdir()
    (tmp_path / "public").chmod(0o777)
    home = {"file": file, "below a file": file / "x", "a loop": loop, "of everybody": tmp_path / "public"}[kind]
    done = emag_pipeline(tmp_path, *_command(command, tmp_path), EMAG_HOME=str(home))
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(f"emag-pipeline: EMAG_HOME is {str(home)!r}, ")
    assert len(done.stderr.splitlines()) == 1
    assert mode_of(tmp_path / "public") == 0o777
    assert list((tmp_path / "public").iterdir()) == []


@pytest.fixture(scope="session")
def a_backup(tmp_path_factory: pytest.TempPathFactory, cluster: object, template: str) -> Path:
    """A whole backup, so that `restore` gets as far as the database."""
    place = tmp_path_factory.mktemp("backup")
    url = f"postgresql://postgres@/{template}?host={cluster.socket_directory}"  # type: ignore[attr-defined]
    done = emag_pipeline(place, "backup", str(place / "emag.dump"), DATABASE_SYNC_URL=url)
    assert done.returncode == 0, done.stderr
    return place / "emag.dump"


@as_root
@pytest.mark.parametrize("command", ["migrate", "sync"])
def test_roots_command_in_another_users_home_is_refused(tmp_path: Path, command: str) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, STRANGER, STRANGER)
    done = emag_pipeline(tmp_path, command, EMAG_HOME=str(theirs))
    assert done.returncode == 2
    assert "which belongs to nobody. Run the command as nobody" in done.stderr
    assert list(theirs.iterdir()) == []


@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml"])
def test_a_disk_that_is_full_while_dagsters_home_is_written_may_pass(
    tmp_path: Path, database_url: str, name: str
) -> None:
    (tmp_path / "home" / "dagster").mkdir(parents=True)
    (tmp_path / "home" / "dagster" / name).symlink_to("/dev/full")
    done = _sync(tmp_path / "home", database_url)
    assert done.returncode == 1, done.stderr
    assert "Dagster's home cannot be written: No space left on device" in done.stderr


def test_a_misspelt_variable_is_named_by_every_command_once(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "roles", EMAG_SYNC_MAXPAGES="geheim")
    assert done.stderr == (
        "emag-pipeline: EMAG_SYNC_MAXPAGES is not a known setting. Did you mean EMAG_SYNC_MAX_PAGES?\n"
    )
    as_json = emag_pipeline(tmp_path, "roles", EMAG_SYNC_MAXPAGES="geheim", EMAG_LOG_FORMAT="json")
    assert json.loads(as_json.stderr)["event"] == "variable_not_read"
    # nor is there any other line where settings are wrong
    wrong = emag_pipeline(tmp_path, "status", EMAG_SYNC_MAXPAGES="geheim", EMAG_LOG_FORMAT="json", DB_HOST="h")
    told = [json.loads(line) for line in wrong.stderr.splitlines()]
    assert [(one["event"], one["level"]) for one in told] == [
        ("variable_not_read", "warning"),
        ("command_failed", "error"),
    ]
    assert told[1]["exit_code"] == 2
    assert told[1]["message"].startswith("the database is only partly configured.")
    # where one is missing that is misspelt, both are told
    half = {"DB_HOST": "h", "DB_NAME": "n", "DB_USR": "geheim", "DB_PASSWRD": "geheim"}
    said = emag_pipeline(tmp_path, "status", **half).stderr.splitlines()
    assert said == [
        "emag-pipeline: DB_PASSWRD is not a known setting. Did you mean DB_PASS?",
        "emag-pipeline: DB_USR is not a known setting. Did you mean DB_USER?",
        "emag-pipeline: the database is only partly configured. Set DB_USER too.",
    ]


def test_a_home_and_all_in_it_is_its_owners_alone(tmp_path: Path, database_url: str) -> None:
    """Also one that an earlier version made, with the modes of then."""
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "old.log").touch()
    home.chmod(0o755)
    (home / "logs").chmod(0o755)
    done = _sync(home, database_url)
    assert done.returncode == 0, done.stderr
    assert mode_of(home) == (0o711 if os.geteuid() == 0 else 0o700)
    assert {path.name: mode_of(path) & 0o077 for path in home.iterdir()} == dict.fromkeys(
        [path.name for path in home.iterdir()], 0
    )
    assert {"logs", "dagster"} <= {path.name for path in home.iterdir()}


def test_a_home_that_holds_other_things_too_keeps_its_mode(tmp_path: Path, database_url: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    (home / "letters").mkdir()
    (home / "letters").chmod(0o755)
    done = _sync(home, database_url)
    assert done.returncode == 0, done.stderr
    assert (mode_of(home), mode_of(home / "letters"), mode_of(home / "dagster")) == (0o755, 0o755, 0o700)
