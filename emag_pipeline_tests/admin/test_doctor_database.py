import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import psycopg2
import pytest

from emag_pipeline import embedded
from emag_pipeline.admin.doctor import Verdict, accounts, dagster, databases, examine
from emag_pipeline.admin.doctor.databases import lost_since
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline.running_up import claimed
from emag_pipeline.settings import load_settings
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.store.server import OLDEST_VERSION, ConnectionFacts
from emag_pipeline_tests.admin.doctors import diagnosed, found
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.databases import administer
from emag_pipeline_tests.deploy import test_pgbouncer as bouncer
from emag_pipeline_tests.deploy.servers import PASSWORD, needs_openssl, needs_server, tls_server
from emag_pipeline_tests.embedded import homes
from emag_pipeline_tests.marketplace.deaf import deaf_port

# fixtures
server, bouncer_port = bouncer.server, bouncer.port


def _with_user(url: str, user: str) -> str:
    return url.replace("postgres@", f"{user}@")


def test_a_good_database_is_named_with_version_user_and_size(database_url: str, tmp_path: Path) -> None:
    diagnosis = diagnosed(tmp_path, DATABASE_SYNC_URL=database_url)
    assert "PostgreSQL 18." in found(diagnosis, "database", "answers: ").what
    assert found(diagnosis, "database", "not encrypted but does not leave this machine").verdict is Verdict.OK
    assert found(diagnosis, "database", "can read and write every table").verdict is Verdict.OK
    assert found(diagnosis, "clock", "the database's clock agrees").verdict is Verdict.OK


def test_an_embedded_server_that_a_living_up_starts_again_needs_nobody_to_start_it(tmp_path: Path) -> None:
    assert "Start it with `emag-pipeline up`" in found(diagnosed(tmp_path), "database").remedy
    with claimed(tmp_path, "http://127.0.0.1:1"):
        said = emag_pipeline(tmp_path, "doctor", EMAG_SANDBOX="1").stdout
    assert f"`emag-pipeline up` (process {os.getpid()}) starts it again by itself and tries every second" in said
    assert "Start it with" not in said


def test_an_unreachable_server_is_one_cause_and_one_line(tmp_path: Path) -> None:
    diagnosis = diagnosed(tmp_path, DATABASE_SYNC_URL="postgresql://me:geheim@127.0.0.1:1/emag")
    finding = found(diagnosis, "database")
    assert (finding.verdict, diagnosis.exit_code) == (Verdict.BROKEN, 1)
    assert "Connection refused" in finding.what
    assert finding.remedy
    assert found(diagnosis, "marketplace", "examined: they need").verdict is Verdict.NOT_EXAMINED
    assert "geheim" not in str(diagnosis)


def test_a_server_that_says_nothing_is_given_up_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine, "_DATABASE_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/emag"
        began = time.monotonic()
        diagnosis = diagnosed(tmp_path, DATABASE_SYNC_URL=url)
        assert time.monotonic() - began < 15
    finding = found(diagnosis, "database")
    assert finding.what.startswith("no answer within 1 seconds")
    assert finding.remedy.startswith("Run `emag-pipeline doctor` again")
    verdicts = {finding.verdict, found(diagnosis, "marketplace", "examined: they need").verdict}
    # a machine that is only busy is silent too: nobody knows whether anything is broken
    assert (verdicts, diagnosis.verdict, diagnosis.exit_code) == ({Verdict.NOT_EXAMINED}, Verdict.NOT_EXAMINED, 6)


def test_a_host_that_drops_what_is_sent_to_it_is_broken_and_named(tmp_path: Path) -> None:
    with deaf_port() as port:
        diagnosis = diagnosed(tmp_path, DATABASE_SYNC_URL=f"postgresql://me:geheim@127.0.0.1:{port}/emag")
    finding = found(diagnosis, "database")
    assert (finding.verdict, diagnosis.exit_code) == (Verdict.BROKEN, 1)
    assert f"no connection to 127.0.0.1 port {port} within" in finding.what
    assert "firewall" in finding.remedy
    assert "geheim" not in str(diagnosis)


def test_dagsters_database_and_the_marketplace_behind_a_firewall_are_broken_too(
    database_url: str, tmp_path: Path
) -> None:
    with deaf_port() as port:
        settings = load_settings(
            {
                "EMAG_HOME": str(tmp_path),
                "DATABASE_SYNC_URL": database_url,
                "DAGSTER_PG_URL": f"postgresql://me:geheim@127.0.0.1:{port}/emag_dagster",
                "EMAG_API_USERNAME": "me",
                "EMAG_API_PASSWORD": "geheim",
                "EMAG_API_BASE_URL": f"http://127.0.0.1:{port}/api-3",
            },
            env_file=None,
        )
        findings = [*dagster.examine(settings), *accounts.marketplace(settings, settings.accounts[0])]
    assert [one.subject for one in findings] == ["daemon", "account main"]
    for finding in findings:
        assert f"no connection to 127.0.0.1 port {port} within" in finding.what
        assert finding.verdict is Verdict.BROKEN
        assert "firewall" in finding.remedy


def test_a_server_older_than_those_that_are_tried_is_a_warning() -> None:
    seen = ConnectionFacts(
        version="14.9", user="me", database="emag", size_bytes=1, is_read_only=False, is_encrypted=True, is_local=True,
        ssl_mode="prefer", tls=None, through_pooler=False, ahead_seconds=0.0, uncertain_seconds=0.0,
    )  # fmt: skip
    finding = databases.reached(seen, "the database", slept=False)
    assert (finding.verdict, "PostgreSQL 14.9" in finding.what) == (Verdict.WARNING, True)
    assert databases.reached(replace(seen, version="15.1"), "the database", slept=False).verdict is Verdict.OK
    guide = Path(__file__).parents[2] / "docs" / "how-to" / "database.md"
    assert f"PostgreSQL {OLDEST_VERSION} or newer" in guide.read_text()


def test_a_missing_database_is_told_from_an_unreachable_one(database_url: str, tmp_path: Path) -> None:
    missing = database_url.replace("/test_", "/no_")
    assert "the database does not exist" in found(diagnosed(tmp_path, DATABASE_SYNC_URL=missing), "database").what


def test_an_embedded_server_that_does_not_run_is_not_started(tmp_path: Path) -> None:
    finding = found(diagnosed(tmp_path), "database")
    assert "the embedded PostgreSQL" in finding.what
    assert "emag-pipeline up" in finding.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_the_schema_is_to_be_migrated(empty_url: str, tmp_path: Path) -> None:
    finding = found(diagnosed(tmp_path, DATABASE_SYNC_URL=empty_url), "database", "the schema was never migrated")
    assert (finding.verdict, finding.remedy) == (Verdict.BROKEN, "Run `emag-pipeline migrate`")


@pytest.mark.parametrize(
    ("revision", "said", "remedy"),
    [("0001", "this code needs", "emag-pipeline migrate"), ("9999", "does not know", "Install that version")],
)
def test_an_older_schema_is_told_from_a_newer_one(
    database: Database, database_url: str, tmp_path: Path, revision: str, said: str, remedy: str
) -> None:
    with database.transaction() as tx:
        tx.run("UPDATE emag_alembic_version SET version_num = :revision", revision=revision)
    finding = found(diagnosed(tmp_path, DATABASE_SYNC_URL=database_url), "database", f"the schema is at {revision}")
    assert said in finding.what
    assert remedy in finding.remedy


@pytest.fixture
def reader(cluster: embedded.EmbeddedServer, database: Database) -> Iterator[str]:
    """A user that may read everything and write nothing."""
    administer(cluster, "CREATE ROLE doctor_reader LOGIN IN ROLE pg_read_all_data")
    yield "doctor_reader"
    administer(cluster, "DROP ROLE doctor_reader")


def test_missing_rights_are_listed(database_url: str, reader: str, tmp_path: Path) -> None:
    finding = found(diagnosed(tmp_path, DATABASE_SYNC_URL=_with_user(database_url, reader)), "database", "lacks")
    assert "DELETE, INSERT, UPDATE on emag_account_figures" in finding.what
    assert "as the tables' owner" in finding.remedy


def test_a_user_without_any_right_is_told_so(
    cluster: embedded.EmbeddedServer, database_url: str, tmp_path: Path
) -> None:
    administer(cluster, "CREATE ROLE doctor_stranger LOGIN")
    try:
        diagnosis = diagnosed(tmp_path, DATABASE_SYNC_URL=_with_user(database_url, "doctor_stranger"))
    finally:
        administer(cluster, "DROP ROLE doctor_stranger")
    assert found(diagnosis, "database", "lacks a privilege").verdict is Verdict.BROKEN


def test_a_database_that_takes_no_writes_is_broken(
    cluster: embedded.EmbeddedServer, database: Database, database_url: str, tmp_path: Path
) -> None:
    name = database.engine.url.database
    administer(cluster, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    assert found(diagnosed(tmp_path, DATABASE_SYNC_URL=database_url), "database", "is read-only").remedy


@pytest.mark.parametrize(
    ("seconds", "verdict", "words"),
    [(20, Verdict.WARNING, "20 seconds ahead of"), (-3600, Verdict.BROKEN, "3,600 seconds behind")],
)
def test_a_wrong_clock_of_the_database_is_measured(
    database: Database,
    database_url: str,
    tmp_path: Path,
    seconds: int,
    verdict: Verdict,
    words: str,
) -> None:
    """The server's own function is another one in this database: it has a clock that is off."""
    with database.transaction() as tx:
        tx.run("SET LOCAL allow_system_table_mods = on")
        tx.run("ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO true_clock_timestamp")
        tx.run(
            "CREATE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS "
            f"$$SELECT pg_catalog.true_clock_timestamp() + interval '{seconds} seconds'$$"
        )
    finding = found(diagnosed(tmp_path, DATABASE_SYNC_URL=database_url), "clock", "database")
    assert finding.verdict is verdict
    assert words in finding.what
    assert "NTP" in finding.remedy


@pytest.fixture(scope="module")
def tls_port() -> Iterator[int]:
    with tempfile.TemporaryDirectory(prefix="emag-doctor-", dir="/tmp") as home, tls_server(Path(home)) as port:
        yield port


@needs_server
@needs_openssl
def test_a_wrong_password_is_told_from_an_unreachable_server(tls_port: int, tmp_path: Path) -> None:
    url = f"postgresql://postgres:ganz-geheim@127.0.0.1:{tls_port}/postgres"
    diagnosis = diagnosed(tmp_path, DATABASE_SYNC_URL=url)
    finding = found(diagnosis, "database")
    assert finding.what.startswith("the database refuses the password")
    assert "user and password" in finding.remedy
    assert "ganz-geheim" not in str(diagnosis)


@needs_server
@needs_openssl
def test_an_encrypted_connection_says_how_and_whether_the_server_was_checked(tls_port: int, tmp_path: Path) -> None:
    url = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{tls_port}/postgres?sslmode=require"
    finding = found(diagnosed(tmp_path, DATABASE_SYNC_URL=url), "database", "is encrypted")
    assert "TLSv1." in finding.what
    assert "sslmode=require: the certificate is not checked" in finding.what


def test_the_doctor_leaves_a_database_without_dagsters_tables_as_it_is(database_url: str, tmp_path: Path) -> None:
    diagnosis = diagnosed(tmp_path, DATABASE_SYNC_URL=database_url, DAGSTER_PG_URL=database_url)
    assert "Dagster has never run here" in found(diagnosis, "daemon").what
    with psycopg2.connect(database_url.replace("+psycopg2", "")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchone() == (0,)


@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="pgbouncer is not installed")
def test_pgbouncer_in_between_is_well_and_named(bouncer_port: int, tmp_path: Path) -> None:
    url = f"postgresql://postgres@127.0.0.1:{bouncer_port}/emag"
    database = Database(url.replace("postgresql", "postgresql+psycopg2"))
    migrate.upgrade(database)
    database.close()
    diagnosis = diagnosed(tmp_path, DATABASE_SYNC_URL=url)
    assert " answers through PgBouncer: " in found(diagnosis, "database", "answers").what
    assert found(diagnosis, "database", "can read and write every table").verdict is Verdict.OK


@pytest.fixture
def home() -> Iterator[Path]:
    with homes.open_directory() as directory:
        home = directory / "home"
        yield homes.migrated(home)
        if (server := embedded.running(home)) is not None:
            server.stop()


_DOES_NOT_RUN = "the embedded PostgreSQL is not running"
_BEGAN_AGAIN = "the database server restarted during the examination"


@pytest.fixture
def locked(home: Path) -> Iterator[embedded.EmbeddedServer]:
    """An embedded server in use, whose database of Dagster's answers nothing."""
    with in_use(home) as server:
        server.ensure_database("emag_dagster")
        held = psycopg2.connect(host=str(server.socket_directory), user="postgres", dbname="emag_dagster")
        held.cursor().execute("CREATE TABLE daemon_heartbeats (daemon_type text, body text, timestamp timestamptz)")
        held.commit()
        held.cursor().execute("LOCK TABLE daemon_heartbeats")
        yield server
        held.close()


def _kill_when_asked(server: embedded.EmbeddedServer, home: Path, again: bool) -> None:
    """Kill the server as soon as the doctor waits for Dagster's database; start it again, or leave it."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = 'emag_dagster'"
    own = psycopg2.connect(host=str(server.socket_directory), user="postgres", dbname="emag")
    own.autocommit = True
    cursor = own.cursor()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        cursor.execute(waiting)
        if (cursor.fetchone() or [0])[0]:
            break
        time.sleep(0.05)
    own.close()
    main = server.postmaster()
    main.kill()
    main.wait(60)  # else a start takes it for one that runs, and is told that it ended
    if again:
        embedded.start(home)


@pytest.mark.parametrize("again", [False, True])
def test_a_database_that_goes_away_while_the_doctor_looks_is_the_one_cause(
    home: Path, locked: embedded.EmbeddedServer, again: bool
) -> None:
    for module in (
        "emag_pipeline.monitoring.dagster_incidents",
        "emag_pipeline.dagster_runs.daemon",
    ):
        import_module(module)  # on a loaded machine that alone may take the time that the look has
    killer = threading.Thread(target=_kill_when_asked, args=(locked, home, again))
    with claimed(home, "http://127.0.0.1:1"):
        killer.start()
        diagnosis = diagnosed(home)
        killer.join()
    told = "\n".join(map(str, diagnosis.findings))
    causes = [one.what for one in diagnosis.findings if one.subject == "database" and one.verdict is Verdict.BROKEN]
    # one that is back may be told as having been away; where every look was repeated in time, nothing is wrong
    assert causes in ([_DOES_NOT_RUN], *([[_BEGAN_AGAIN], []] if again else [])), told
    if causes:
        assert not [one for one in diagnosis.findings if one.subject == "daemon"], told
    for wrong in ("firewall", "no answer within", "the examination itself failed"):
        assert wrong not in told


def test_a_frozen_embedded_server_costs_neither_the_report_nor_its_time(home: Path) -> None:
    server = embedded.start(home)
    postmaster = server.postmaster()
    postmaster.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        diagnosis = diagnosed(home)
        assert time.monotonic() - began < 15
    finally:
        postmaster.send_signal(signal.SIGCONT)
    finding = found(diagnosis, "database", "the embedded PostgreSQL")
    assert finding.verdict is Verdict.BROKEN
    assert finding.what == f"the embedded PostgreSQL is stopped (process {postmaster.pid}) and does not respond"
    assert finding.remedy.startswith(f"`kill -CONT {postmaster.pid}` resumes it")
    assert found(diagnosis, "disk").verdict is Verdict.OK
    assert embedded.running(home) is not None


def test_a_server_that_it_started_and_that_does_not_end_is_one_more_finding(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emag_pipeline.embedded.server._STOP_TIMEOUT_SECONDS", 1.0)
    freezing = threading.Thread(target=_freeze_when_seen, args=(home,))
    freezing.start()
    try:
        diagnosis = diagnosed(home)
    finally:
        freezing.join()
        left = embedded.running(home)
        assert left is not None
        left.postmaster().send_signal(signal.SIGCONT)
    assert found(diagnosis, "database", "the server does not end within 1 seconds").verdict is Verdict.BROKEN
    assert found(diagnosis, "disk").verdict is Verdict.OK


def _freeze_when_seen(home: Path) -> None:
    until = time.monotonic() + 60
    while (server := embedded.running(home)) is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    server.postmaster().send_signal(signal.SIGSTOP)


def test_a_server_that_began_after_the_doctor_did_is_told(database_url: str, tmp_path: Path) -> None:
    settings = load_settings({"DATABASE_SYNC_URL": database_url, "EMAG_HOME": str(tmp_path)}, None)
    assert list(lost_since(settings, time.monotonic())) == []
    (finding,) = lost_since(settings, time.monotonic() - 10 * 86400)
    assert finding.what == _BEGAN_AGAIN
