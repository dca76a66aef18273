"""Through PgBouncer in transaction mode, pipeline and Dagster's storage work as without it."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from emag_pipeline import embedded
from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.embedded import places
from emag_pipeline.errors import PermanentError
from emag_pipeline.local import ports
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import FAST, emag_pipeline
from emag_pipeline_tests.databases import administer
from emag_pipeline_tests.embedded import homes
from emag_pipeline_tests.local.ups import free_ports, wait_until
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="pgbouncer is not installed"),
]

_DATABASES = ("emag", "emag_dagster")
#: a database of PgBouncer whose server lets nobody in
_SHUT = "shut"


@pytest.fixture(scope="module")
def server() -> Iterator[embedded.EmbeddedServer]:
    with homes.temporary() as home, ScratchServer.opened(home=home) as server:
        for name in _DATABASES:
            server.url(name)
        administer(server.running(), f"CREATE DATABASE {_SHUT} ALLOW_CONNECTIONS false")
        yield server.running()


@pytest.fixture(scope="module")
def port(server: embedded.EmbeddedServer) -> Iterator[int]:
    """PgBouncer's port. It has three server connections a database: a session that needs its own would show."""
    (port,) = free_ports(1)
    entries = [f"{name} = host={server.socket_directory} user=postgres dbname={name}" for name in (*_DATABASES, _SHUT)]
    settings = [
        "listen_addr = 127.0.0.1", f"listen_port = {port}", "unix_socket_dir =", "auth_type = any",
        "pool_mode = transaction", "default_pool_size = 3", "admin_users = postgres",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="emag-bouncer-") as home:
        file = Path(home) / "pgbouncer.ini"
        file.write_text("\n".join(["[databases]", *entries, "[pgbouncer]", *settings, ""]))
        places.hand_over(Path(home))  # it refuses root, as PostgreSQL does, and must reach the socket
        process = subprocess.Popen(["pgbouncer", "-q", str(file)], **places.identity())
        try:
            wait_until(lambda: ports.answers(port), 20)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def test_a_whole_sync_with_both_databases_behind_it_publishes_exactly(
    server: embedded.EmbeddedServer, port: int, tmp_path: Path
) -> None:
    with unlimited_sandbox(accounts={"main": 350}) as market:
        given = {
            "EMAG_API_BASE_URL": market.url,
            "EMAG_API_USERNAME": "main@sandbox.example",
            "EMAG_API_PASSWORD": "sandbox",
            **FAST,
            "DATABASE_SYNC_URL": f"postgresql://postgres@127.0.0.1:{port}/emag",
        }
        done = emag_pipeline(tmp_path, "sync", **given)
        assert done.returncode == 0, done.stdout + done.stderr
        database = Database(server.url("emag"))
        assert_published_exactly(database, market, "main")
        database.close()
    assert "completed" in emag_pipeline(tmp_path, "status", **given).stdout


def test_no_setting_of_ours_leaks_into_the_shared_sessions(port: int) -> None:
    for _ in range(6):
        connection = psycopg2.connect(f"postgresql://postgres@127.0.0.1:{port}/emag")
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout'), current_setting('search_path')")
            assert cursor.fetchone() == ("0", '"$user", public')
        connection.close()


@pytest.mark.parametrize(("name", "what"), [("nowhere", "PgBouncer refuses"), ("shut", "are switched off")])
def test_what_it_refuses_for_good_is_permanent(port: int, name: str, what: str) -> None:
    database = Database(f"postgresql+psycopg2://postgres@127.0.0.1:{port}/{name}")
    try:
        with pytest.raises(PermanentError) as caught, database.transaction():
            pass
    finally:
        database.close()
    assert what in caught.value.what
