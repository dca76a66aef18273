"""A database that is made when it is missing: Dagster's own, whose tables are its affair; the embedded server's."""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit, urlunsplit

from emag_pipeline.errors import PermanentError, PipelineError
from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction


def ensure_database(url: str, variable: str = "DAGSTER_PG_URL", *, is_own_server: bool = False) -> bool:
    """Create the database that the URL names unless it is there. True when it was created here.

    `variable` is what an administrator sets where it cannot be created. Of a server of our own its `postgres` database
    is asked first, so that its log tells of no refusal; of another one only when the database cannot be reached: not
    everybody may connect there. Needs the right CREATEDB when it is missing. Two callers at once are safe. Raises
    PermanentError without that right, DatabaseUnavailable when the server cannot be reached.
    """
    name = unquote(urlsplit(url).path.removeprefix("/"))
    maintenance = urlunsplit(urlsplit(url)._replace(path="/postgres"))  # where `createdb` connects to as well
    if is_own_server:
        if _exists(maintenance, name):
            return False
    elif (unreachable := _failure(url)) is None:
        return False
    elif _failure(maintenance) is not None or _exists(maintenance, name):
        raise unreachable
    try:
        with _session(maintenance) as session:
            session.run(f"CREATE DATABASE {_quoted(name)}")
    except PermanentError as error:
        if _failure(url) is None:
            return False  # somebody else was faster
        raise _not_allowed(variable, name, error.why) from error
    return True


def _failure(url: str) -> PipelineError | None:
    try:
        with _session(url):
            return None
    except PipelineError as error:
        return error


def _exists(maintenance: str, name: str) -> bool:
    with _session(maintenance) as session:
        return session.run("SELECT 1 FROM pg_database WHERE datname = :name", name=name).first() is not None


@contextmanager
def _session(url: str) -> Iterator[Transaction]:
    """A session without a transaction around its statements, as CREATE DATABASE demands."""
    database = Database(url, pool_size=1)
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
        remedy=f"Have an administrator create it with this user as its owner (CREATE DATABASE {_quoted(name)} OWNER …),"
        f" or set {variable} to another database",
    )
