"""G11: no secret appears in output, files, the database, Dagster's storage or a process list, whatever happens."""

import base64
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import psutil
import psycopg2
import pytest

from emag_pipeline.cli.main import COMMANDS
from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.definitions import defs
from emag_pipeline.local import programs
from emag_pipeline.monitoring import incidents
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.attempt import attempt
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.lease import take_lease
from emag_pipeline.sync.ledger import Lease
from emag_pipeline_tests.cli.commands import emag_pipeline, environment
from emag_pipeline_tests.local.ups import free_ports, wait_until
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox

_API_PASSWORD = "Sch€ißgeheim-4711/äöü"
_DATABASE_PASSWORD = "pg/Kennwort:08%15"
_WEBHOOK_PASSWORD = "T0KEN/B0TT/hook-Schlüssel"
_QUOTED = quote(_DATABASE_PASSWORD, safe="")
_USER = "seller@example.com"
_SPELLINGS = (
    _API_PASSWORD,
    _API_PASSWORD.encode("unicode_escape").decode(),
    quote(_API_PASSWORD, safe=""),
    base64.b64encode(f"{_USER}:{_API_PASSWORD}".encode()).decode(),
    _DATABASE_PASSWORD,
    _QUOTED,
    _WEBHOOK_PASSWORD,
    quote(_WEBHOOK_PASSWORD),
)
_ECHO = f"no right for {_USER} with {_API_PASSWORD}"
_HEADERS = f"Host: x, Authorization: Basic {base64.b64encode(f'{_USER}:{_API_PASSWORD}'.encode()).decode()}"


@pytest.fixture
def secretive() -> Iterator[SandboxServer]:
    users = {"main": (_USER, _API_PASSWORD)}
    with unlimited_sandbox(accounts={"main": 250}, users=users) as market:
        yield market


@pytest.fixture
def variables(secretive: SandboxServer, database_url: str, dagster_url: str) -> dict[str, str]:
    """Both databases given with a password, which the trusting server does not ask for."""
    return {
        "EMAG_API_BASE_URL": secretive.url,
        "EMAG_API_USERNAME": _USER,
        "EMAG_API_PASSWORD": _API_PASSWORD,
        "DATABASE_SYNC_URL": _with_password(database_url),
        "DAGSTER_PG_URL": _with_password(dagster_url),
        "EMAG_API_REQUESTS_PER_SECOND": "100",
        "EMAG_API_REQUESTS_PER_MINUTE": "6000",
        "EMAG_ALERT_WEBHOOK_URL": f"http://127.0.0.1:1/{quote(_WEBHOOK_PASSWORD)}",
        "EMAG_LOG_LEVEL": "debug",
    }


def _with_password(url: str) -> str:
    return url.replace("postgres@", f"postgres:{_QUOTED}@")


def _run(home: Path, *arguments: str, **variables: str) -> tuple[str, list[str]]:
    """Run a command; what it printed, and the command lines of all processes that lived beside it."""
    home.mkdir(exist_ok=True)
    lines: set[str] = set()
    with (home.parent / "printed.txt").open("w+") as output:
        command = [sys.executable, "-m", "emag_pipeline", *arguments]
        process = subprocess.Popen(command, env=environment(home, **variables), cwd=home, stdout=output, stderr=output)
        while process.poll() is None:
            lines |= {" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])}
            time.sleep(0.2)
        output.seek(0)
        return output.read(), sorted(lines)


def _tables(url: str) -> Iterator[str]:
    """Every row of every table of a database, as text."""
    connection = psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql"))
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('app', 'public')")
        for schema, table in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{schema}"."{table}" t')
            yield from (row[0] for row in cursor.fetchall())
    connection.close()


def _files(home: Path) -> Iterator[str]:
    yield from (path.read_text(errors="replace") for path in home.rglob("*") if path.is_file())


def _told(texts: Any) -> list[str]:
    """Where a secret shows, with what stands around it."""
    return [text[:2000] for text in texts if any(spelling in text for spelling in _SPELLINGS)]


_FAULTS: dict[str, list[dict[str, Any]]] = {
    "a good day": [],
    "the marketplace refuses the password and repeats it": [{"kind": "is_error", "message": _ECHO, "status": 401}],
    "the marketplace repeats what was sent": [{"kind": "is_error", "message": f"{_ECHO}; {_HEADERS}", "count": 2}],
}


@pytest.mark.parametrize("case", _FAULTS)
def test_g11_a_sync_tells_no_secret(
    secretive: SandboxServer,
    variables: dict[str, str],
    database_url: str,
    dagster_url: str,
    tmp_path: Path,
    case: str,
) -> None:
    for fault in _FAULTS[case]:
        secretive.add_fault(**fault)
    printed, lines = _run(tmp_path / "home", "sync", **variables)
    assert "main" in printed
    assert any("emag_pipeline.local.run main" in line for line in lines)
    stored = [*_tables(database_url), *_tables(dagster_url)]
    assert any("refresh_offers" in row for row in stored)
    assert _told([printed, *lines, *_files(tmp_path / "home"), *stored]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"DATABASE_SYNC_URL": f"postgresql://postgres:{_QUOTED}@127.0.0.1:1/emag"},
        {"DATABASE_SYNC_URL": f"mysql://postgres:{_QUOTED}@127.0.0.1/emag"},
        {"DATABASE_SYNC_URL": f"postgresql://postgres:{_QUOTED}@127.0.0.1:port/emag"},
        {"DAGSTER_PG_URL": f"postgresql://postgres:{_QUOTED}@127.0.0.1:1/dagster"},
        {"EMAG_API_BASE_URL": f"http://{_USER}:{_QUOTED}@127.0.0.1:1/api-3"},
        {"EMAG_API_BASE_URL": "http://127.0.0.1:1/api-3?x", "EMAG_SYNC_MAX_PAGES": "many"},
    ],
    ids=["no database", "no PostgreSQL", "no port", "no Dagster database", "a base URL with a password", "no number"],
)
def test_g11_what_cannot_begin_tells_no_secret(
    variables: dict[str, str], tmp_path: Path, change: dict[str, str]
) -> None:
    printed, lines = _run(tmp_path / "home", "sync", **(variables | change))
    found = emag_pipeline(tmp_path / "home", "doctor", **(variables | change))
    assert _told([printed, *lines, found.stdout, found.stderr, *_files(tmp_path / "home")]) == []


#: a password that is not encoded, in the ways in which libraries take it apart, and what they show of it then
_RAW = "pre@hunter2tail/x"
_UNENCODED = {
    "a host": "postgresql://u:pre@hunter2tail@localhost:1/emag",
    "a host and a path": f"postgresql://u:{_RAW}@localhost:1/emag",
    "an address": "postgresql://u:hunter2[secretpart]x@localhost:1/emag",
    "half an address": "postgresql://u:hunter2[x@localhost:1/emag",
    "a port": "postgresql://u:12345/hunter2@localhost/emag",
    "no number": "postgresql://u:geheim@localhost:1secretport/emag",
}
_PIECES = ("hunter2", "tail", "secretp", "12345", "geheim", "Traceback", "defect")


@pytest.mark.parametrize("case", _UNENCODED)
@pytest.mark.parametrize("variable", ["DATABASE_SYNC_URL", "DAGSTER_PG_URL"])
def test_g11_a_password_that_is_not_encoded_is_refused_in_one_line(tmp_path: Path, case: str, variable: str) -> None:
    for arguments in (("status",), ("doctor",)):
        done = emag_pipeline(tmp_path / "home", *arguments, **{variable: _UNENCODED[case], "EMAG_SANDBOX": "1"})
        told = done.stdout + done.stderr
        assert (done.returncode, len(told.splitlines())) == (2, 1), told
        assert f"{variable}: " in told
        assert "percent-encode @ : / ? # [ ] % in the password" in told
        assert [piece for piece in _PIECES if piece in told] == []


_ARGUMENTS = {
    "approve": ["0" * 32], "discard": ["0" * 32], "explain": ["main", "1"], "history": ["main", "1"],
    "backup": ["file"], "restore": ["file"], "forget": ["main"], "stop": ["--all"], "psql": ["--print"],
    "backfill": ["--from", "2026-10-02", "--to", "2026-10-03"],
    "accept": ["prices_are_plausible", "--account", "main", "--reason", "x", "--until", "2999-01-01"],
    "export": ["emag_current_offers"], "report": ["main"],
}  # fmt: skip
#: they have surroundings of their own, whatever the settings say
_WITHOUT_SETTINGS = {"sandbox", "drill"}


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - _WITHOUT_SETTINGS))
def test_g11_no_command_shows_a_piece_of_a_password_that_is_not_encoded(tmp_path: Path, command: str) -> None:
    given = {"DATABASE_SYNC_URL": f"postgresql://u:{_RAW}@localhost:1/emag", "EMAG_ALERT_WEBHOOK_URL": "http://[geheim"}
    home = tmp_path / "home"
    done = emag_pipeline(home, command, *_ARGUMENTS.get(command, []), **given, EMAG_LOG_FORMAT="json")
    told = [done.stdout, done.stderr, *_files(home)]
    assert done.returncode == 2, told
    assert "DATABASE_SYNC_URL" in done.stdout + done.stderr
    assert [piece for piece in _PIECES for text in told if piece in text] == []


def test_g11_the_doctor_tells_no_secret_of_a_marketplace_that_repeats_the_password(
    secretive: SandboxServer, variables: dict[str, str], database_url: str, tmp_path: Path
) -> None:
    secretive.add_fault("is_error", message=f"{_ECHO}; {_HEADERS}", status=401)
    printed, lines = _run(tmp_path / "home", "doctor", **variables)
    assert "the marketplace refuses access" in printed
    assert _told([printed, *lines, *_tables(database_url)]) == []


def test_g11_an_alert_that_cannot_be_told_tells_no_address(
    variables: dict[str, str], database: Database, database_url: str, tmp_path: Path
) -> None:
    incidents.note(database, incidents.IncidentFinding("main", "failing", "the marketplace fails", "Wait"))
    metrics, health = free_ports(2)
    ports = {"EMAG_SYNC_METRICS_PORT": str(metrics), "EMAG_SYNC_HEALTH_PORT": str(health)}
    given = environment(tmp_path, **variables, **ports, EMAG_SYNC_MONITOR_INTERVAL="1")
    output = tmp_path / "exporter.txt"
    with output.open("wb") as file:
        command = [sys.executable, "-m", "emag_pipeline", "exporter"]
        process = subprocess.Popen(command, env=given, cwd=tmp_path, stdout=file, stderr=file)
    try:
        wait_until(lambda: "alert_not_sent" in output.read_text(), 60, output.read_text)
    finally:
        process.kill()
        process.wait()
    assert _told([output.read_text(), *_tables(database_url)]) == []


def test_g11_no_program_is_started_with_a_secret_in_its_command_line(variables: dict[str, str], tmp_path: Path) -> None:
    settings = load_settings(environment(tmp_path, **variables), env_file=None)
    socket, workspace = tmp_path / "code", tmp_path / "workspace.yaml"
    started = [
        programs.sandbox(settings), programs.code_server(settings, socket), programs.webserver(settings, workspace),
        programs.daemon(settings, workspace), programs.exporter(settings),
    ]  # fmt: skip
    assert len(settings.secrets) >= 5
    assert _told(" ".join(program.command) for program in started) == []


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["main"]))
def defective(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> None:
    with pipeline.sync(context) as sync, attempt(sync, _lease_of(sync)):
        raise ValueError(f"cannot parse {sync.account.password.get_secret_value()!r}")


class _Defective(Pipeline):
    """Fails where it is asked for the database, with a text that holds a secret."""

    def database(self) -> AbstractContextManager[Database]:
        raise ValueError(f"cannot parse {self.settings.account('main').password.get_secret_value()!r}")


def _lease_of(sync: SyncContext) -> Lease:
    return take_lease(
        sync.database, "main", sync.run_id, timeout_hours=1, heartbeat_timeout_seconds=60, run_has_ended=lambda _: True
    )


def test_g11_a_defect_that_holds_a_secret_is_stored_without_it(
    variables: dict[str, str], database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(environment(tmp_path, **variables), env_file=None)
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"pipeline": Pipeline(settings)}
        done = dg.materialize(
            [defective], partition_key="main", resources=resources, instance=instance, raise_on_error=False
        )
        events = [str(record) for record in instance.all_logs(done.run_id)]
    assert not done.success
    assert any("cannot parse" in event for event in events)
    assert any("cannot parse" in row for row in _tables(database_url))
    assert _told([*events, *_tables(database_url), *capfd.readouterr()]) == []


def test_g11_a_defect_of_the_clean_up_is_stored_without_it(
    variables: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(environment(tmp_path, **variables), env_file=None)
    with dg.DagsterInstance.ephemeral() as instance:
        done = defs.resolve_job_def("maintenance").execute_in_process(
            instance=instance, resources={"pipeline": _Defective(settings)}, raise_on_error=False
        )
        events = [str(record) for record in instance.all_logs(done.run_id)]
    assert not done.success
    assert any("cannot parse" in event for event in events)
    assert _told([*events, *capfd.readouterr()]) == []
