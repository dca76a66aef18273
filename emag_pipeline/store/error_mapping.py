"""Maps PostgreSQL failures to the project's errors, by SQLSTATE (PostgreSQL manual, appendix A)."""

import re

import psycopg2
from sqlalchemy.exc import DBAPIError

from emag_pipeline.errors import DatabaseUnavailable, PermanentError, PipelineError, SchemaMismatch, SettingsError
from emag_pipeline.wording import AFTER_AN_OUTAGE, gist

#: Driver errors for rows that do not fit their table.
WRONG_DATA = (psycopg2.DataError, psycopg2.IntegrityError, psycopg2.ProgrammingError)

_WRONG_PASSWORD = ("the database refuses the password", "Correct the database URL's user and password")
_WRONG_USER = ("the database refuses this user", "Correct the database URL, or the server's pg_hba.conf")
_NO_DATABASE = ("the database does not exist", "Create it, or correct the database's name in the URL")
_PERMANENT = {
    "28P01": _WRONG_PASSWORD,
    "28000": _WRONG_USER,
    "3D000": _NO_DATABASE,
    "42501": ("the database user lacks a privilege", "Grant it, see docs/how-to/roles.md; nothing was changed"),
}
#: Refused logins that no retry changes, by the text alone: libpq reports a failure to connect without an SQLSTATE.
#: Texts of PostgreSQL 15 to 18 (postinit.c, miscinit.c, auth.c, libpq's fe-auth.c) and PgBouncer 1.18 to 1.25
#: (client.c, objects.c), which also passes on the server's text in its own message.
_REFUSED_LOGINS = [
    (
        re.compile(
            r"password authentication failed|no password supplied|SASL authentication failed|"
            r"empty password returned by client"
        ),
        _WRONG_PASSWORD,
    ),
    (
        re.compile(r'permission denied for database "'),
        (
            "the database does not let this user connect",
            "Grant it as an administrator (GRANT CONNECT ON DATABASE … TO …), see docs/how-to/roles.md",
        ),
    ),
    (
        re.compile(r'role ".*" is not permitted to log in'),
        (
            "the database user may not log in",
            "Allow it as an administrator (ALTER ROLE … LOGIN), or correct the URL's user, see docs/how-to/roles.md",
        ),
    ),
    (
        re.compile(
            r'database ".*" is not currently accepting connections|database ".*" is disabled|'
            r"database does not allow connections: "
        ),
        (
            "connections to the database are switched off",
            "Allow them as an administrator (ALTER DATABASE … ALLOW_CONNECTIONS true; PgBouncer: ENABLE …), "
            "or correct the database's name in the URL",
        ),
    ),
    (
        re.compile(r'cannot connect to invalid database "'),
        (
            "the database is unusable: dropping it was interrupted",
            "Drop it again and restore a backup (docs/how-to/backup.md), or correct the database's name in the URL",
        ),
    ),
    (re.compile(r'database (".*"|\d+) does not exist|no such database: '), _NO_DATABASE),
    (
        re.compile(
            r"no pg_hba\.conf entry|pg_hba\.conf rejects|role (\".*\"|with OID \d+) does not exist|no such user|"
            r"authentication failed|login rejected|requires a valid client certificate|authentication method"
        ),
        _WRONG_USER,
    ),
    (
        re.compile(r"bouncer config error"),
        ("PgBouncer refuses the login", "Its log says why: correct its configuration, or the database URL"),
    ),
]
#: The same, for a limit on connections; each passes when others end theirs.
_NO_FREE_CONNECTION = re.compile(
    r"too many clients already|remaining connection slots are reserved|too many connections for (role|database)|"
    r"no more connections allowed|client connections exceeded"
)
#: PostgreSQL's messages while it starts up; a server that is shutting down reports the same SQLSTATE
_STARTS = re.compile(r"the database system is (starting up|in recovery mode|not (yet )?accepting connections)")
#: libpq's messages for TLS failures, which have no SQLSTATE
_TLS = {
    "certificate verify failed": "the database server's certificate is not signed by a trusted authority",
    "does not match host name": "the database server's certificate is for another host",
    "root certificate file": "the authority's certificate cannot be read",
    "server does not support SSL": "the database server does not support TLS",
    "SSL required": "the database server requires TLS",  # PgBouncer
}
#: libpq's messages for an invalid parameter of the URL, before it tries to connect; the value is not repeated
_WRONG_PARAMETER = re.compile(
    r"invalid (?P<name>\w+) value: |invalid (?P<port>port number): |invalid (?P<option>connection option) |"
    r"value \"[^\"]*\" for connection option \"(?P<number>\w+)\""
)
#: raised by the project's own SQL functions for an unknown argument; the hint names the known ones
_NOT_KNOWN = "EM001"
#: e.g. a migration replaces a function that a view of another owner calls
_DEPENDED_UPON = "2BP01"
#: 57P03: the server runs but accepts no connections until it has recovered from a crash
STARTING_UP = "the database is starting up"
_STARTING = "57P03"
_FULL = "53300"
#: 55P03: timeout while waiting for a lock
TABLE_HELD = "a table is locked by another transaction"
#: timeouts: of a statement by its SQLSTATE, of a connection by libpq's message
_TOO_LONG, _CONNECT_TIMED_OUT = "57014", "timeout expired"
_MISSING_OBJECT = {"42P01", "42703", "3F000", "42883"}
_TRANSIENT = {
    "40P01": ("the transaction was chosen as a deadlock victim", "It is retried automatically"),
    "40001": ("the transaction conflicted with a concurrent change", "It is retried automatically"),
    "55P03": (TABLE_HELD, "Try again when that transaction has ended"),
    "57014": ("a statement was cancelled or took too long", "It is retried automatically; check the server's load"),
    "53100": ("the database server's disk is full", "Free space on it; the next run resumes"),
    _FULL: (
        "the database server has no free connections",
        "Raise max_connections, or the limit that it names (of the role, the database or PgBouncer), or use PgBouncer",
    ),
}


def translate(error: DBAPIError | psycopg2.Error, whose: str = "") -> PipelineError:
    """Return the project's error for a driver's error; its text holds no parameters and no password.

    `whose` is the database, e.g. "Dagster's": a refused login names it, since the two have different users.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    state: str | None = getattr(cause, "pgcode", None)
    why = gist(str(cause)) or type(cause).__name__
    # a pooler refuses at the first statement, with an SQLSTATE of its own
    if state is None or (isinstance(cause, psycopg2.Error) and cause.diag.severity == "FATAL"):
        for text, (what, remedy) in _REFUSED_LOGINS:
            if text.search(why):
                return PermanentError(what, where=f"{whose} database".lstrip(), why=why, remedy=remedy)
        state = _limit_or_start(why) or state
    if not state and (wrong := _WRONG_PARAMETER.search(why)):
        parameter = next(filter(None, wrong.groups()))
        remedy = "Correct it in the database URL, see docs/how-to/database.md; no connection was attempted"
        return SettingsError(f"the database URL has a wrong {parameter}", remedy=remedy)
    for words, what in _TLS.items():
        if words in why:
            remedy = "Correct sslmode and sslrootcert in the database URL, or the server, see docs/how-to/database.md"
            return PermanentError(what, where="database", why=why, remedy=remedy)
    if state == _DEPENDED_UPON and isinstance(cause, psycopg2.Error):  # the detail holds only object names
        others = "; ".join((cause.diag.message_detail or "").splitlines())
        remedy = "Drop these, repeat the command, then create them again; nothing was changed"
        what = "other objects depend on what is to be replaced"
        return PermanentError(what, where="database", why=others or why, remedy=remedy)
    if state in _PERMANENT:
        what, remedy = _PERMANENT[state]
        return PermanentError(what, where="database", why=why, remedy=remedy)
    if state == _NOT_KNOWN and isinstance(cause, psycopg2.Error):
        return SettingsError(why, remedy=cause.diag.message_hint or "")
    if state in _MISSING_OBJECT:
        return SchemaMismatch(
            "the schema does not match this version of the code",
            where="database",
            why=why,
            remedy="Run `emag-pipeline migrate`, and check DB_SCHEMA",
        )
    if state in _TRANSIENT:
        what, remedy = _TRANSIENT[state]
        return DatabaseUnavailable(what, where="database", why=why, remedy=remedy, is_late=state == _TOO_LONG)
    if state == _STARTING:
        remedy = f"Wait until it accepts connections: its log shows the progress; {AFTER_AN_OUTAGE}"
        return DatabaseUnavailable(STARTING_UP, where="database", why=why, remedy=remedy, is_away=True)
    if not state or state[:2] in {"08", "57", "53", "58"}:
        return DatabaseUnavailable(
            "the database cannot be reached",
            where="database",
            why=why,
            remedy=f"Start it or correct its URL; {AFTER_AN_OUTAGE}",
            is_late=why.endswith(_CONNECT_TIMED_OUT),
            is_away=True,
        )
    return PermanentError(
        "the database refused a statement",
        where="database",
        why=f"SQLSTATE {state}: {why}",
        remedy="This is a bug in the pipeline: report it with this line",
    )


def _limit_or_start(message: str) -> str:
    """The SQLSTATE for the message of a failure to connect that passes by itself; empty for any other."""
    if _NO_FREE_CONNECTION.search(message):
        return _FULL
    return _STARTING if _STARTS.search(message) else ""
