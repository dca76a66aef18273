"""What the server says of itself, of this connection and of this user's rights: for `emag-pipeline doctor`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emag_pipeline.store.engine import Database

#: The oldest PostgreSQL that the tests are run with.
OLDEST_VERSION = 15
#: What the pipeline does with each of its tables.
_RIGHTS = ["SELECT", "INSERT", "UPDATE", "DELETE"]


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """One connection as both ends see it."""

    version: str
    user: str
    database: str
    size_bytes: int
    #: a replica that takes no writes, or a database or user that was made read-only
    is_read_only: bool
    #: this program's own leg: to the server, or to a pooler in front of it
    is_encrypted: bool
    #: a Unix socket, or a loopback address: nothing leaves this machine
    is_local: bool
    #: libpq's sslmode, e.g. prefer or verify-full
    ssl_mode: str
    #: e.g. TLSv1.3, as the server sees the connection that it serves; None when that is not encrypted
    tls: str | None
    through_pooler: bool
    #: how much the server's clock is ahead of this machine's, give or take `uncertain_seconds`
    ahead_seconds: float
    uncertain_seconds: float


def connection(database: Database) -> ConnectionFacts:
    """Connect and look. Raises the errors of `store.error_mapping`."""
    with database.transaction(timeout_seconds=5) as tx:
        asked = datetime.now(UTC)
        now: datetime = tx.run("SELECT clock_timestamp()").scalar_one()
        answered = datetime.now(UTC)
        half: timedelta = (answered - asked) / 2
        row = tx.run(
            """SELECT current_setting('server_version') AS version, current_user AS "user",
                      current_database() AS database, pg_database_size(current_database()) AS size_bytes,
                      pg_is_in_recovery() OR current_setting('transaction_read_only')::bool AS is_read_only,
                      pg_backend_pid() AS pid,
                      (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl) AS tls"""
        ).one()
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
    """For each of the pipeline's tables that this user may not use in full: the rights that it lacks."""
    with database.transaction(timeout_seconds=5) as tx:
        rows = tx.run(
            """SELECT c.relname AS "table", array_agg(wanted ORDER BY wanted) AS rights
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
                    unnest(CAST(:rights AS text[])) AS wanted
               WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND c.relname LIKE 'emag\\_%'
                 AND c.relname <> 'emag_alembic_version'
                 AND NOT has_table_privilege(c.oid, wanted)
               GROUP BY c.relname ORDER BY c.relname""",
            rights=_RIGHTS,
            schema=database.schema,
        )
        return {row.table: list(row.rights) for row in rows}


#: The search path that the login, its database or its address prescribe: `public`, as a rule.
_OWN_PATH = "SET LOCAL search_path TO DEFAULT"


def has_table(database: Database, name: str) -> bool:
    """Whether a table of Dagster's is there: on the login's own search path, which is how Dagster finds it."""
    with database.transaction(timeout_seconds=5) as tx:
        tx.run(_OWN_PATH)
        return tx.run("SELECT to_regclass(:name) IS NOT NULL", name=name).scalar_one() is True


def incarnation(database: Database, table: str) -> str:
    """Tells a table of Dagster's from all copies of it: restored, cloned, recovered to some moment, made anew.

    Some copies are told apart by the cluster's number or timeline, some by the number of the database or of the table.
    """
    with database.transaction(timeout_seconds=5) as tx:
        tx.run(_OWN_PATH)
        row = tx.run(
            """SELECT (SELECT system_identifier FROM pg_control_system()) AS cluster,
                      (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline,
                      (SELECT CAST(oid AS bigint) FROM pg_database WHERE datname = current_database()) AS database,
                      CAST(CAST(to_regclass(:table) AS oid) AS bigint) AS "table" """,
            table=table,
        ).one()
    return ".".join(str(part) for part in row)
