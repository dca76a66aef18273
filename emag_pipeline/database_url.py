"""Database URLs in the forms that people give and programs need: asyncpg's, SQLAlchemy's, libpq's; and one to show."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

from emag_pipeline.errors import SettingsError

_SCHEME = re.compile(r"^postgres(?:ql)?(?:\+[a-z0-9_]+)?://")
_CREDENTIALS = re.compile(r"(?<=://)(?P<user>[^:@/?#]*):[^@/?#]*@")
_SECRET_PARAMETER = re.compile(r"(?<=[?&])(password|sslpassword)=[^&]*")


def with_driver(url: str) -> str:
    """The URL for SQLAlchemy with the driver that this project uses, whatever driver it named before.

    Plain `postgresql://` would mean psycopg 3 to SQLAlchemy 2.1. Raises SettingsError for another database.
    """
    return "postgresql+psycopg2://" + _rest(url)


def driverless(url: str) -> str:
    """The URL for libpq and its tools (psql, pg_dump), which refuse a driver's name."""
    return "postgresql://" + _rest(url)


def masked(url: str) -> str:
    """The URL with its password hidden."""
    return _SECRET_PARAMETER.sub(r"\1=***", _CREDENTIALS.sub(r"\g<user>:***@", url))


def passwords_in(url: str) -> set[str]:
    """The passwords that a URL holds, decoded; wherever they stand."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    found = [parts.password or "", *query.get("password", []), *query.get("sslpassword", [])]
    return {unquote(password) for password in found if password}


def _rest(url: str) -> str:
    found = _SCHEME.match(url)
    if found is None:
        raise SettingsError(
            "this is not a PostgreSQL URL",
            where=masked(url).split("?")[0] if "://" in url else "database URL",
            remedy="Give it as postgresql://user:password@host:5432/database",
        )
    return url[found.end() :]
