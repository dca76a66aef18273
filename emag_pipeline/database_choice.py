"""Which databases the variables name: by a URL, by its parts, or none, which is the embedded PostgreSQL."""

from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

from emag_pipeline.addresses import is_host, is_port
from emag_pipeline.database_url import with_driver
from emag_pipeline.errors import PipelineError, SettingsError
from emag_pipeline.gist import shortened

_DATABASE_PARTS = ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASS")


def pipeline_url(given: Mapping[str, str]) -> str | None:
    """The database of the pipeline's tables, for SQLAlchemy; None for the embedded one.

    Raises SettingsError for a URL that is none, or parts that do not make a whole.
    """
    url = _url(given, "DATABASE_SYNC_URL") or _url(given, "DATABASE_URL")
    if url or not given.keys() & set(_DATABASE_PARTS):
        return url
    missing = [part for part in ("DB_HOST", "DB_NAME", "DB_USER") if part not in given]
    if missing:
        raise SettingsError("the database is only half configured", remedy=f"Set {' and '.join(missing)} too")
    port = given.get("DB_PORT", "5432")
    if not is_host(given["DB_HOST"]):
        raise SettingsError(
            "DB_HOST is no name or address of a host",
            remedy="Give a name, an IPv4 address, or an IPv6 address in brackets, without port and user; a socket's "
            "directory is given by DATABASE_SYNC_URL=postgresql://user:password@/database?host=/directory",
        )
    if not is_port(port):
        raise SettingsError(f"DB_PORT is {shortened(port)}", remedy="Give a port number from 1 to 65535")
    user, password, name = (quote(given.get(part, ""), safe="") for part in ("DB_USER", "DB_PASS", "DB_NAME"))
    return with_driver(f"postgresql://{user}:{password}@{given['DB_HOST']}:{port}/{name}")


def dagster_url(given: Mapping[str, str], pipeline: str | None) -> str | None:
    """Dagster's own database: as set, else `_dagster` behind the name of the pipeline's; None for the embedded one.

    Raises SettingsError for a URL that is none.
    """
    own = _url(given, "DAGSTER_PG_URL")
    if own or pipeline is None:
        return own
    parts = urlsplit(pipeline)
    return urlunsplit(parts._replace(path=parts.path + "_dagster"))


def _url(given: Mapping[str, str], variable: str) -> str | None:
    if variable not in given:
        return None
    try:
        return with_driver(given[variable])
    except PipelineError as error:
        raise SettingsError(error.what, where=variable, why=error.why, remedy=error.remedy) from None
