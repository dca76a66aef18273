"""The database server: facts for `doctor`, creating a missing database, libpq's environment variables."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from urllib.parse import unquote, urlsplit, urlunsplit

from sqlalchemy import make_url

from emag_pipeline.errors import PermanentError, PipelineError, SettingsError
from emag_pipeline.store.engine import CONNECT_TIMEOUT_SECONDS, DAGSTERS, PIPELINES, Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction

_SQL = statements("store/server.sql")

#: The oldest PostgreSQL version that the tests cover.
OLDEST_VERSION = 15
#: The privileges that the pipeline needs on each of its tables.
_RIGHTS = ["SELECT", "INSERT", "UPDATE", "DELETE"]


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """One connection as both ends see it."""

    version: str
    user: str
    database: str
    size_bytes: int
    #: a standby, or a database or user that is set to read-only
    is_read_only: bool
    #: this program's connection, to the server or to a pooler in front of it
    is_encrypted: bool
    #: a Unix socket or a loopback address
    is_local: bool
    #: libpq's sslmode, e.g. prefer or verify-full
    ssl_mode: str
    #: e.g. TLSv1.3, as the server sees its connection (perhaps from a pooler); None if it is not encrypted
    tls: str | None
    through_pooler: bool
    #: how far the server's clock is ahead of this machine's, ± `uncertain_seconds`
    ahead_seconds: float
    uncertain_seconds: float


def connection(database: Database) -> ConnectionFacts:
    """Connect and collect the facts. Raises the errors of `store.error_mapping`."""
    with database.transaction(timeout_seconds=5) as tx:
        asked = datetime.now(UTC)
        now: datetime = tx.run("SELECT clock_timestamp()").scalar_one()
        answered = datetime.now(UTC)
        half: timedelta = (answered - asked) / 2
        row = tx.run(_SQL["connection"]).one()
        own = tx.wire()
    return ConnectionFacts(
        version=row.version.split()[0],
        user=row.user,
        database=row.database,
        size_bytes=row.size_bytes,
        is_read_only=row.is_read_only,
        is_encrypted=own.ssl_in_use,
        is_local=own.host.startswith("/") or own.host in ("localhost", "127.0.0.1", "::1"),
        ssl_mode=own.dsn_parameters.get("sslmode", "prefer"),
        tls=row.tls,
        through_pooler=own.backend_pid != row.pid,
        ahead_seconds=(now - (asked + half)).total_seconds(),
        uncertain_seconds=half.total_seconds(),
    )


def uptime_seconds(database: Database) -> float:
    """Since the server was started, by its own clock. Raises the errors of `store.error_mapping`."""
    with database.transaction(timeout_seconds=5) as tx:
        since = "SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8"
        return float(tx.run(since).scalar_one())


def missing_rights(database: Database) -> dict[str, list[str]]:
    """The privileges that this user lacks, by table; tables with all privileges are left out."""
    with database.transaction(timeout_seconds=5) as tx:
        rows = tx.run(
            _SQL["missing_rights"],
            rights=_RIGHTS,
            schema=database.schema,
        )
        return {row.table: list(row.rights) for row in rows}


#: Restores the search path set for the role, the database or in the URL; usually `public`.
_OWN_PATH = "SET LOCAL search_path TO DEFAULT"


def has_table(database: Database, name: str) -> bool:
    """Whether one of Dagster's tables exists on the role's own search path, as Dagster looks it up."""
    with database.transaction(timeout_seconds=5) as tx:
        tx.run(_OWN_PATH)
        return tx.run("SELECT to_regclass(:name) IS NOT NULL", name=name).scalar_one() is True


def incarnation(database: Database, table: str) -> str:
    """An identifier of one of Dagster's tables that differs for every copy: restored, cloned, recovered, recreated.

    Copies differ in the cluster's system identifier or timeline, or in the oid of the database or table.
    """
    with database.transaction(timeout_seconds=5) as tx:
        tx.run(_OWN_PATH)
        row = tx.run(
            _SQL["incarnation"],
            table=table,
        ).one()
    return ".".join(str(part) for part in row)


# Creating a missing database: Dagster's own (Dagster creates its tables itself), or the embedded server's.


def ensure_database(url: str, variable: str = "DAGSTER_PG_URL", *, is_own_server: bool = False) -> bool:
    """Create the database that the URL names unless it exists. Returns whether it was created here.

    `variable` is the setting to name if it cannot be created. On our own server the `postgres` database is asked
    first, to keep a failed connection out of its log; on others only if the database cannot be reached, since not every
    user may connect to `postgres`. Creating it needs CREATEDB. Concurrent calls are safe. Raises PermanentError without
    CREATEDB, DatabaseUnavailable if the server is unreachable.
    """
    whose = DAGSTERS if variable == "DAGSTER_PG_URL" else PIPELINES
    name = unquote(urlsplit(url).path.removeprefix("/"))
    maintenance = urlunsplit(urlsplit(url)._replace(path="/postgres"))  # where `createdb` connects to as well
    if is_own_server:
        if _exists(maintenance, name):
            return False
    elif (unreachable := _failure(url, whose)) is None:
        return False
    elif _failure(maintenance, whose) is not None or _exists(maintenance, name):
        raise unreachable
    try:
        with autocommit_session(maintenance) as session:
            session.run(f"CREATE DATABASE {_quoted(name)}")
    except PermanentError as error:
        if _failure(url, whose) is None:
            return False  # another process created it first
        raise _not_allowed(variable, name, error.why) from error
    return True


def _failure(url: str, whose: str) -> PipelineError | None:
    try:
        with autocommit_session(url, whose):
            return None
    except PipelineError as error:
        return error


def _exists(maintenance: str, name: str) -> bool:
    with autocommit_session(maintenance) as session:
        return session.run("SELECT 1 FROM pg_database WHERE datname = :name", name=name).first() is not None


@contextmanager
def autocommit_session(url: str, whose: str = "") -> Iterator[Transaction]:
    """A session in autocommit mode, as CREATE DATABASE and DROP DATABASE require. Raises the database's errors."""
    database = Database(url, whose=whose, pool_size=1)
    database.engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    try:
        with database.transaction() as session:
            yield session
    finally:
        database.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""').replace(":", r"\:") + '"'


def _not_allowed(variable: str, name: str, why: str) -> PermanentError:
    return PermanentError(
        f"the database {name!r} is missing and could not be created",
        where=variable,
        why=why,
        remedy=f"Have an administrator create it with this user as owner (CREATE DATABASE {_quoted(name)} OWNER …),"
        f" or set {variable} to another database",
    )


# A database URL as environment variables for PostgreSQL's own programs: command lines are visible to other users.

#: libpq's parameters and their variables (PostgreSQL manual, "Environment Variables" of libpq)
_VARIABLES = {
    "host": "PGHOST", "hostaddr": "PGHOSTADDR", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER",
    "password": "PGPASSWORD", "passfile": "PGPASSFILE", "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT", "options": "PGOPTIONS", "application_name": "PGAPPNAME",
    "sslmode": "PGSSLMODE", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY", "sslrootcert": "PGSSLROOTCERT",
    "sslcrl": "PGSSLCRL", "sslcrldir": "PGSSLCRLDIR", "sslsni": "PGSSLSNI", "requirepeer": "PGREQUIREPEER",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION", "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "gssencmode": "PGGSSENCMODE", "krbsrvname": "PGKRBSRVNAME", "target_session_attrs": "PGTARGETSESSIONATTRS",
    "require_auth": "PGREQUIREAUTH", "load_balance_hosts": "PGLOADBALANCEHOSTS",
}  # fmt: skip
_PORT = "5432"
#: keepalive settings, which these programs do not need
_LEFT_OUT = {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"}


def tcp_addresses(url: str) -> list[tuple[str, str]]:
    """Hosts and ports of the URL's servers; empty if it names a socket directory."""
    address = make_url(url)
    _, given = address.get_dialect()().create_connect_args(address)
    hosts = str(given.get("hostaddr") or given.get("host") or "").split(",")
    places = zip_longest(hosts, str(given.get("port") or "").split(","), fillvalue="")
    return [(host, port or _PORT) for host, port in places if host and not host.startswith(("/", "@"))]


def libpq_environment(url: str) -> dict[str, str]:
    """Environment variables with which PostgreSQL's programs connect to the URL's database.

    Raises SettingsError for a parameter that has no variable.
    """
    address = make_url(url)
    _, parameters = address.get_dialect()().create_connect_args(address)
    given = {name: str(value) for name, value in parameters.items() if name not in _LEFT_OUT}
    unknown = sorted(given.keys() - _VARIABLES.keys())
    if unknown:
        raise SettingsError(
            f"the database URL's parameter {unknown[0]} cannot be passed on to PostgreSQL's programs",
            remedy="Remove it from the URL for this command",
        )
    connect = {"connect_timeout": str(CONNECT_TIMEOUT_SECONDS), "application_name": "emag_pipeline"}
    return {_VARIABLES[name]: value for name, value in {**connect, **given}.items()}
