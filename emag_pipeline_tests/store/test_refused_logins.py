"""Failures to connect, which have no SQLSTATE: by their texts, those that a retry can help and those that it cannot."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest

from emag_pipeline.dagster_runs import instance
from emag_pipeline.databases import unchecked_database
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.errors import DatabaseUnavailable, PermanentError, PipelineError, Rerun
from emag_pipeline.local import surroundings
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.error_mapping import translate
from emag_pipeline.store.server import ensure_database
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.databases import administer

_serial = itertools.count(1)

#: What makes the server refuse: statements for a role and a database, and the error's words and remedy.
_SHUT = {
    "connect": ("REVOKE CONNECT ON DATABASE {database} FROM PUBLIC", "does not let this user connect", "GRANT CONNECT"),
    "log in": ("ALTER ROLE {role} NOLOGIN", "may not log in", "ALTER ROLE … LOGIN"),
    "switch": ("ALTER DATABASE {database} ALLOW_CONNECTIONS false", "are switched off", "ALLOW_CONNECTIONS true"),
    "role": ("ALTER ROLE {role} RENAME TO {role}_gone", "refuses this user", "Correct the database URL"),
    "database": ("ALTER DATABASE {database} RENAME TO {database}_gone", "does not exist", "Create it"),
}
_FULL = {
    "role": "ALTER ROLE {role} CONNECTION LIMIT 0",
    "database": "ALTER DATABASE {database} CONNECTION LIMIT 0",
}


@contextmanager
def _modest(server: EmbeddedServer, statement: str) -> Iterator[str]:
    """The URL of a role without rights of its own for a new database, after the statement on either."""
    number = next(_serial)
    role, database = f"modest_{number}", f"shut_{number}"
    administer(server, f"CREATE ROLE {role} LOGIN")
    administer(server, f"CREATE DATABASE {database}")
    administer(server, statement.format(role=role, database=database))
    try:
        yield server.url("postgres").replace("postgres@", f"{role}@").replace("/postgres?", f"/{database}?")
    finally:
        for end in ("", "_gone"):
            administer(server, f"DROP DATABASE IF EXISTS {database}{end} WITH (FORCE)")
            administer(server, f"DROP ROLE IF EXISTS {role}{end}")


def _settings(home: Path, pipeline: str, dagster: str) -> Settings:
    given = {"EMAG_HOME": str(home), "DATABASE_SYNC_URL": pipeline, "DAGSTER_PG_URL": dagster}
    return load_settings(given, env_file=None)


def _pipelines(url: str, home: Path) -> None:
    database = unchecked_database(_settings(home, url, url))
    try:
        with database.transaction():
            pass
    finally:
        database.close()


def _dagsters(url: str, home: Path) -> None:
    surroundings.prepare(home)
    with instance.opened(_settings(home, url, url)):
        pass


@pytest.mark.parametrize("shut", list(_SHUT))
@pytest.mark.parametrize(
    ("open_", "whose"),
    [(_pipelines, "the pipeline's database: "), (_dagsters, "Dagster's database: ")],
)
def test_a_refused_login_is_permanent_and_names_the_database_and_the_remedy(
    cluster: EmbeddedServer, tmp_path: Path, shut: str, open_: Callable[[str, Path], None], whose: str
) -> None:
    statement, what, remedy = _SHUT[shut]
    with _modest(cluster, statement) as url, pytest.raises(PermanentError) as caught:
        open_(url, tmp_path)
    error = caught.value
    assert (error.rerun, error.exit_code) == (Rerun.NEVER, 5)
    assert error.message.startswith(whose)
    assert what in error.what
    assert remedy in error.remedy
    assert "next run" not in error.message


def test_so_is_that_of_dagsters_database_before_it_is_created(cluster: EmbeddedServer) -> None:
    with _modest(cluster, _SHUT["connect"][0]) as url, pytest.raises(PermanentError, match="GRANT CONNECT") as caught:
        ensure_database(url)
    assert caught.value.message.startswith("Dagster's database: ")


@pytest.mark.parametrize("limit", list(_FULL))
def test_a_limit_on_connections_passes(cluster: EmbeddedServer, tmp_path: Path, limit: str) -> None:
    with _modest(cluster, _FULL[limit]) as url, pytest.raises(DatabaseUnavailable) as caught:
        _pipelines(url, tmp_path)
    assert caught.value.what == "the database server has no free connections"
    assert f"too many connections for {limit}" in caught.value.why
    assert "the limit that it names" in caught.value.remedy


def test_a_command_ends_as_a_failure_that_a_rerun_cannot_help(cluster: EmbeddedServer, tmp_path: Path) -> None:
    with _modest(cluster, _SHUT["connect"][0]) as url:
        done = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=url)
    assert done.returncode == 5, done.stderr
    assert "the pipeline's database: the database does not let this user connect" in done.stderr
    assert "docs/how-to/roles.md" in done.stderr


# The rest by their texts: PostgreSQL 18's, libpq's and PgBouncer's.

_SERVER = 'connection to server at "db.example.com" (10.1.2.3), port 5432 failed: '


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('password authentication failed for user "ana"', "refuses the password"),
        ("fe_sendauth: no password supplied", "refuses the password"),
        ("password authentication failed", "refuses the password"),
        ("SASL authentication failed", "refuses the password"),
        ('no pg_hba.conf entry for host "10.1.2.4", user "ana", database "emag", SSL encryption', "refuses this user"),
        ('pg_hba.conf rejects connection for host "10.1.2.4", user "ana", database "emag"', "refuses this user"),
        ('Peer authentication failed for user "ana"', "refuses this user"),
        ('"trust" authentication failed', "refuses this user"),
        ("connection requires a valid client certificate", "refuses this user"),
        ('role "ana" does not exist', "refuses this user"),
        ("no such user", "refuses this user"),
        ("login rejected", "refuses this user"),
        ("bouncer config error", "PgBouncer refuses the login"),
        ('database "emag" does not exist', "does not exist"),
        ("no such database: emag", "does not exist"),
        ('database "emag" is not currently accepting connections', "are switched off"),
        ('database "emag" is disabled', "are switched off"),
        ("database does not allow connections: emag", "are switched off"),
        ('cannot connect to invalid database "emag"', "dropping it was interrupted"),
        ('role "ana" is not permitted to log in', "may not log in"),
        ('permission denied for database "emag"\nDETAIL:  User does not have CONNECT privilege.', "let this user"),
        (
            'server login has been failing, cached error: permission denied for database "emag" (server_login_retry)',
            "does not let this user connect",
        ),
        ("SSL required", "requires TLS"),
    ],
)
def test_these_are_permanent(text: str, what: str) -> None:
    error = _of(text)
    assert isinstance(error, PermanentError), error
    assert what in error.what


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("sorry, too many clients already", "no free connections"),
        ("remaining connection slots are reserved for roles with the SUPERUSER attribute", "no free connections"),
        ("no more connections allowed (max_client_conn)", "no free connections"),
        ("client connections exceeded (max_user_client_connections)", "no free connections"),
        ("the database system is starting up", "is starting up"),
        ("the database system is not yet accepting connections", "is starting up"),
        ("the database system is shutting down", "cannot be reached"),
        ("terminating connection due to administrator command", "cannot be reached"),
        ("query_wait_timeout", "cannot be reached"),
        ("server DNS lookup failed", "cannot be reached"),
    ],
)
def test_these_pass(text: str, what: str) -> None:
    error = _of(text)
    assert isinstance(error, DatabaseUnavailable), error
    assert what in error.what


def _of(text: str) -> PipelineError:
    return translate(psycopg2.OperationalError(f"{_SERVER}FATAL:  {text}\n"))
