"""Maps PostgreSQL failures to the project's errors, by SQLSTATE (PostgreSQL manual, appendix A)."""

import re

import psycopg2
from sqlalchemy.exc import DBAPIError

from emag_pipeline.errors import DatabaseUnavailable, PermanentError, PipelineError, SchemaMismatch, SettingsError
from emag_pipeline.wording import AFTER_AN_OUTAGE, gist

#: Driver errors for rows that do not fit their table.
WRONG_DATA = (psycopg2.DataError, psycopg2.IntegrityError, psycopg2.ProgrammingError)

_PERMANENT = {
    "28P01": ("the database refuses the password", "Correct the database URL's user and password"),
    "28000": ("the database refuses this user", "Correct the database URL, or the server's pg_hba.conf"),
    "3D000": ("the database does not exist", "Create it, or correct the database's name in the URL"),
    "42501": ("the database user lacks a privilege", "Grant it, see docs/how-to/roles.md; nothing was changed"),
}
#: PostgreSQL's messages while it starts up; a server that is shutting down reports the same SQLSTATE
_STARTS = re.compile(r"the database system is (starting up|in recovery mode|not (yet )?accepting connections)")
#: libpq's messages for TLS failures, which have no SQLSTATE
_TLS = {
    "certificate verify failed": "the database server's certificate is not signed by a trusted authority",
    "does not match host name": "the database server's certificate is for another host",
    "root certificate file": "the authority's certificate cannot be read",
    "server does not support SSL": "the database server does not support TLS",
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
    "53300": ("the database server has no free connections", "Raise max_connections or use PgBouncer"),
}


def translate(error: DBAPIError | psycopg2.Error) -> PipelineError:
    """Return the project's error for a driver's error; its text holds no parameters and no password."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state: str | None = getattr(cause, "pgcode", None)
    why = gist(str(cause)) or type(cause).__name__
    if state is None:
        state = _connection_state(why)
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


def _connection_state(message: str) -> str:
    """The SQLSTATE for libpq's message: libpq reports failures to connect without one."""
    if "password authentication failed" in message or "no password supplied" in message:
        return "28P01"
    if "no pg_hba.conf entry" in message or ("role " in message and "does not exist" in message):
        return "28000"
    if "database " in message and "does not exist" in message:
        return "3D000"
    if "too many clients already" in message or "remaining connection slots are reserved" in message:
        return "53300"
    if _STARTS.search(message):
        return _STARTING
    return ""
