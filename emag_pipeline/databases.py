"""The two databases of the settings, as they are: nothing is started, created or migrated.

An unreachable embedded server is reported in the same words everywhere.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from emag_pipeline import embedded, running_up
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.settings import Settings
from emag_pipeline.settings.home import default
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import PIPELINES, Database
from emag_pipeline.store.error_mapping import STARTING_UP
from emag_pipeline.wording import AFTER_AN_OUTAGE

_AWAY = "the embedded PostgreSQL is not running"
_FULL = "its disk is full"
_STARTS = "the embedded PostgreSQL is starting up"
_RECOVERS = f"{_STARTS} (crash recovery)"
_STOPPED = "the embedded PostgreSQL was told to stop"


@contextmanager
def attached(settings: Settings) -> Iterator[Database]:
    """The pipeline's database, after a check that its schema is the one this code needs.

    Raises DatabaseUnavailable if none is configured and the embedded one is not running, SchemaMismatch if the schema
    is not this code's. An embedded server that goes down meanwhile is reported as not running.
    """
    with errors_with_cause(settings):
        database = unchecked_database(settings)
        try:
            migrate.check(database)
            yield database
        finally:
            database.close()


def unchecked_database(settings: Settings, *, most_seconds: float = float("inf")) -> Database:
    """The pipeline's database, which may be unreachable or have another version; the caller closes it.

    No call takes longer than `most_seconds`.
    Raises DatabaseUnavailable if none is configured and the embedded one is not running.
    """
    return Database(pipeline_url(settings), settings.db_schema, whose=PIPELINES, most_seconds=most_seconds)


def pipeline_url(settings: Settings) -> str:
    """Where the pipeline's tables are, with the password. Raises as `unchecked_database`."""
    configured = settings.database_url
    return configured.get_secret_value() if configured else _server(settings).address("emag")


def dagster_url(settings: Settings) -> str:
    """Where Dagster keeps its runs, with the password. Raises as `unchecked_database`."""
    configured = settings.dagster_pg_url
    return configured.get_secret_value() if configured else _server(settings).address("emag_dagster")


def silence(home: Path, *, why: str = "", up_goes_on: bool = False) -> DatabaseUnavailable:
    """Why the embedded server is not available, and how it is started: the same for every command, `up` and /health.

    A server that is starting up needs no action. That it was asked to stop is mentioned only while an `up` is running.
    `up_goes_on`: the caller is `up` itself, which restarts the server; otherwise an `up` that reports this ends.
    """
    if stopped := embedded.frozen(home):
        return _frozen(home, stopped, why)
    if embedded.starting(home):
        return _recovery(home, why)
    up = running_up.running(home)
    if up is None or (up.pid == os.getpid() and not up_goes_on):
        remedy = f"Start it with `emag-pipeline up`, {_elsewhere(home)}or set DATABASE_SYNC_URL to another server"
    else:
        log = embedded.log_of(home)
        remedy = (
            f"`emag-pipeline up` (process {up.pid}) starts it again by itself and tries every second; "
            f"if it stays away, {log} says why"
        )
    what = _STOPPED if up is not None and embedded.was_stopped(home) else _AWAY
    if embedded.is_disk_full(home):
        what = f"{_AWAY}: {_FULL}"
        remedy = f"Free space on the disk of {home} first (`emag-pipeline doctor` says how much is left). {remedy}"
    return DatabaseUnavailable(what, where=f"EMAG_HOME {home}", why=why, remedy=remedy, is_away=True)


def _elsewhere(home: Path) -> str:
    """The other homes of this user with a running `up`, to suggest if EMAG_HOME is not set.

    A configured home is assumed to be right: another one may have another shop's offers.
    """
    if home.resolve() != default().resolve():
        return ""
    others = [f"{other} (process {up.pid})" for other, up in running_up.elsewhere(home).items()]
    return f"or set EMAG_HOME to that of an `up` of yours that runs: {' or '.join(others)}, " if others else ""


def _frozen(home: Path, processes: Sequence[int], why: str = "") -> DatabaseUnavailable:
    numbers = " ".join(map(str, processes))
    who = "process" if len(processes) == 1 else "processes"
    return DatabaseUnavailable(
        f"the embedded PostgreSQL is stopped ({who} {numbers}) and does not respond",
        where=f"EMAG_HOME {home}",
        why=why,
        remedy=f"`kill -CONT {numbers}` resumes it, and nothing is lost",
        is_late=True,
        is_away=True,
        is_frozen=True,
    )


def require_not_frozen(home: Path) -> None:
    """Raise DatabaseUnavailable if the embedded server is stopped (SIGSTOP): a query would wait without a response."""
    if stopped := embedded.frozen(home):
        raise _frozen(home, stopped)


def _recovery(home: Path, why: str) -> DatabaseUnavailable:
    remedy = f"Wait until it accepts connections: its log {embedded.log_of(home)} shows the progress"
    # later it is no longer known what it had to recover
    what = _RECOVERS if embedded.starting(home) and embedded.recovers(home) else _STARTS
    return DatabaseUnavailable(what, where=f"EMAG_HOME {home}", why=why, remedy=remedy, is_away=True)


def with_cause(settings: Settings, error: DatabaseUnavailable, *, of_dagster: bool = False) -> DatabaseUnavailable:
    """The error; if the embedded server is not running or starting up, the error of `silence` with its cause.

    Programs of `up` see that server as a configured one. `of_dagster`: the error is of Dagster's database.
    """
    if log_of(settings, of_dagster=of_dagster) is None:
        return error
    if error.what == STARTING_UP:
        return _recovery(settings.home, error.why)
    if error.is_frozen or error.what.partition(":")[0] in (_AWAY, _STOPPED, _STARTS, _RECOVERS):
        return error
    if (error.is_late or error.is_away) and (stopped := embedded.frozen(settings.home)):
        return _frozen(settings.home, stopped, error.why)
    if embedded.running(settings.home) is None:
        return silence(settings.home, why=error.why)
    if (
        error.is_away and not error.is_late
    ):  # it was unreachable, and need not be started; a frozen one has its own error
        remedy = f"It runs, and its log {embedded.log_of(settings.home)} says what was wrong; {AFTER_AN_OUTAGE}"
        return DatabaseUnavailable(error.what, where=error.where, why=error.why, remedy=remedy, is_away=True)
    return error


def log_of(settings: Settings, *, of_dagster: bool = False) -> Path | None:
    """The log of the database's server if it is the embedded one; None for a configured one."""
    url = settings.dagster_pg_url if of_dagster else settings.database_url
    is_embedded = url is None or embedded.is_address_of(settings.home, url.get_secret_value())
    return embedded.log_of(settings.home) if is_embedded else None


@contextmanager
def errors_with_cause(settings: Settings, *, of_dagster: bool = False) -> Iterator[None]:
    """Convert errors raised in this context with `with_cause`; use it for calls of one of the two databases only."""
    try:
        yield
    except DatabaseUnavailable as error:
        explained = with_cause(settings, error, of_dagster=of_dagster)
        if explained is error:
            raise
        raise explained from error


def _server(settings: Settings) -> embedded.EmbeddedServer:
    found = embedded.running(settings.home)
    if found is None:
        raise silence(settings.home)
    return found
