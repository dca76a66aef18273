"""Strict validation of hosts, ports, web addresses and database URLs; which databases the variables name."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

from emag_pipeline.errors import PipelineError, SettingsError
from emag_pipeline.wording import shortened

# Hosts, ports and web addresses, validated strictly before anything parses them.
#
# A password with `@ : / ? # [ ]` that is not percent-encoded shifts the parts of a URL: pieces of it are parsed as
# host, port and path, which are shown in messages. So everything ambiguous is refused.

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")
_PORT = re.compile(r"[0-9]{1,5}")
_AUTHORITY = re.compile(r"(?P<host>[^\[\]:]*|\[[^\[\]]*\])(?::(?P<port>[^:]*))?")
_VISIBLE = re.compile(r"[!-~]+")


def is_host(text: str) -> bool:
    """Whether it is a valid host name or IPv4 address, or an IPv6 address in brackets."""
    if text.startswith("[") and text.endswith("]"):
        return _is_ipv6(text[1:-1])
    return _HOST.fullmatch(text) is not None


def is_bind(text: str) -> bool:
    """Whether a program can listen on it: a host name, or an address without brackets."""
    return _HOST.fullmatch(text) is not None or _is_ipv6(text)


def is_port(text: str) -> bool:
    """Whether it is a port number from 1 to 65535."""
    return _PORT.fullmatch(text) is not None and 1 <= int(text) <= 65535


def is_place(text: str) -> bool:
    """Whether it is a host, with or without a port."""
    found = _AUTHORITY.fullmatch(text)
    return found is not None and is_host(found["host"]) and (found["port"] is None or is_port(found["port"]))


def is_web(url: str) -> bool:
    """Whether it is an unambiguous http or https address without a user.

    `urlsplit` never raises ValueError for such an address.
    """
    if not _VISIBLE.fullmatch(url) or not re.match(r"(?i)https?://", url):
        return False
    authority = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    if ":" in authority and "@" in url:  # user:12345/67@host: the "port" may be the start of a password
        return False
    return is_place(authority) and bool(urlsplit(url).hostname)


def _is_ipv6(text: str) -> bool:
    try:
        return IPv6Address(text).scope_id is None
    except AddressValueError:
        return False


# Database URLs in the forms of asyncpg, SQLAlchemy and libpq, and a masked form to show.
#
# A URL is validated when it is given (`with_driver`), more strictly than by any library: each of them parses a badly
# encoded URL differently and shows pieces of the password as host, port or database.

FORM = "postgresql://user:password@host:5432/database"
ENCODE = "percent-encode @ : / ? # [ ] % in the password, @ as %40"

_SCHEME = re.compile(r"^postgres(?:ql)?(?:\+[a-z0-9_]+)?://")
_CREDENTIALS = re.compile(r"(?<=://)(?P<user>[^:@/?#]*):[^@/?#]*@")
_SECRET_PARAMETER = re.compile(r"(?<=[?&])(password|sslpassword)=[^&]*")
_PARTS = re.compile(r"(?P<authority>[^/?#]*)(?:/(?P<database>[^/?#]*))?(?:\?(?P<query>[^?#]*))?")
#: the characters that each part may contain unencoded
_ENCODED = {
    "user or password": re.compile(r"(?:[^@/?#\[\]%]|%[0-9A-Fa-f]{2})*"),
    "database": re.compile(r"(?:[^@:/?#\[\]%]|%[0-9A-Fa-f]{2})*"),
    "parameter": re.compile(r"(?:[^@?#\[\]%]|%[0-9A-Fa-f]{2})*"),
}
#: white space, control characters, and lone surrogates (from an environment that is not UTF-8)
_UNSEEN = re.compile(r"[\s\x00-\x20\x7f-\x9f\ud800-\udfff]")
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
#: libpq's parameters (PostgreSQL manual, "Parameter Key Words"); it refuses to connect with any other
_PARAMETERS = frozenset({
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname",
    "fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives",
    "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname", "load_balance_hosts", "options",
    "passfile", "password", "port", "replication", "require_auth", "requirepeer", "service",
    "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcert", "sslcertmode", "sslcompression", "sslcrl",
    "sslcrldir", "sslkey", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "sslsni",
    "target_session_attrs", "tcp_user_timeout", "user",
})  # fmt: skip
#: Parameters of other drivers: these names may be shown in messages, since they cannot be part of a password.
_OF_OTHERS = frozenset({
    "charset", "command_timeout", "connection_limit", "currentSchema", "pgbouncer", "pool_timeout",
    "prepared_statement_cache_size", "prepared_statement_name_func", "schema", "server_settings", "sslaccept",
    "statement_cache_size", "timeout",
})  # fmt: skip
#: Pieces of a password shorter than this are not hidden: they occur in any text.
_SHORTEST_PIECE = 4


def with_driver(url: str) -> str:
    """The URL for SQLAlchemy with this project's driver, whatever driver it named before.

    Plain `postgresql://` would mean psycopg 3 to SQLAlchemy 2.1. asyncpg's `ssl=` becomes libpq's `sslmode=`. Raises
    SettingsError for another kind of database or a malformed URL; the message shows no part of the URL.
    """
    parts = _parts(url)
    _require_credentials_and_place(parts["authority"])
    _require_encoded("database", parts["database"] or "")
    given = [_parameter(one) for one in (parts["query"] or "").split("&") if one]
    _require_each_once(given)
    try:
        urlsplit(url)
    except ValueError:  # a Unicode character that normalises to @ or /
        raise _malformed("it cannot be parsed") from None
    path = "" if parts["database"] is None else f"/{parts['database']}"
    return f"postgresql+psycopg2://{parts['authority']}{path}" + ("?" if given else "") + "&".join(given)


def driverless(url: str) -> str:
    """The URL for libpq and its tools (psql, pg_dump), which do not accept a driver name."""
    return "postgresql://" + _rest(url)


def masked(url: str) -> str:
    """The URL with its password hidden."""
    return _SECRET_PARAMETER.sub(r"\1=***", _CREDENTIALS.sub(r"\g<user>:***@", url))


def passwords_in(url: str) -> set[str]:
    """All passwords in a URL, decoded.

    For a malformed URL also every piece that could be mistaken for a host, port or database.
    """
    try:
        with_driver(url)
    except SettingsError:
        return _pieces(url)
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    found = [parts.password or "", *query.get("password", []), *query.get("sslpassword", [])]
    return {unquote(password) for password in found if password}


def _pieces(url: str) -> set[str]:
    """Everything between the user name and the last @, whole and split at each character that should be encoded."""
    rest = url.partition("://")[2] or url
    before, at, _ = rest.rpartition("@")
    password = (before if at else rest).partition(":")[2]
    cut = [*re.split(r"[@:/?#\[\]%&=\s]", password), *re.split(r"[@/?#\[\]]", password), password, unquote(password)]
    given = [one.partition("=")[2] for one in re.split(r"[?&]", rest) if one.startswith(("password=", "sslpassword="))]
    return {piece for piece in (*cut, *given) if len(piece) >= _SHORTEST_PIECE}


def _rest(url: str) -> str:
    found = _SCHEME.match(url)
    if found is None:
        raise SettingsError(
            "this is not a PostgreSQL URL", where="database URL", remedy=f"Give it as {FORM}, and {ENCODE}"
        )
    return url[found.end() :]


def _parts(url: str) -> re.Match[str]:
    rest = _rest(url)
    if _UNSEEN.search(rest):
        raise _malformed("it contains white space or another invisible character")
    found = _PARTS.fullmatch(rest)
    if found is None:
        raise _malformed("it contains a #, or too many / or ?")
    return found


def _require_credentials_and_place(authority: str) -> None:
    credentials, _, place = authority.rpartition("@")
    _require_encoded("user or password", credentials)
    hosts, colon, port = place.rpartition(":") if re.search(r":[^\]]*$", place) else (place, "", "")
    if colon and not is_port(port):
        raise _malformed("its port is not a number from 1 to 65535")
    if hosts and not all(map(is_place, hosts.split(","))):
        raise _malformed("its host contains a character that is not allowed in a host name")
    if "," in hosts and ":" in re.sub(r"\[[^\]]*\]", "", hosts):
        raise _malformed("it has several hosts with a port each", "Give several as ?host=one:5432&host=other:5432")


def _require_encoded(what: str, text: str) -> None:
    if not _ENCODED[what].fullmatch(text):
        raise _malformed(f"its {what} contains a character with a special meaning in a URL")


def _require_each_once(given: list[str]) -> None:
    """Only hosts may be given more than once: each with its port, or all in one parameter and the ports in another."""
    values: dict[str, list[str]] = {}
    for name, _, value in (one.partition("=") for one in given):
        values.setdefault(name, []).append(unquote(value))
    for name, several in values.items():
        if len(several) > 1 and name != "host":
            raise _malformed(f"{name} is given twice", "Give it once")
    hosts, ports = values.get("host", []), values.get("port", [""])[0]
    are_apart = len(hosts) == 1 and "," in hosts[0]
    fit = len(ports.split(",")) == len(",".join(hosts).split(",")) and ":" not in "".join(hosts) and len(hosts) < 2
    if (ports and not fit) or (are_apart and ":" in hosts[0]):
        raise _malformed("the numbers of hosts and ports differ", "Give several as ?host=one:5432&host=other:5432")


def _parameter(text: str) -> str:
    _require_encoded("parameter", text)
    name, equals, value = text.partition("=")
    if name == "ssl" and value in _SSL_MODES:
        name = "sslmode"
    if name == "ssl":
        raise _malformed("ssl is asyncpg's, and has no such value", "Use sslmode=require or sslmode=verify-full")
    if name not in _PARAMETERS or not equals:
        which = name if name in _OF_OTHERS else "one of its parameters"
        raise _malformed(
            f"{which} is not a parameter of PostgreSQL's client library",
            "Remove it; valid ones are e.g. sslmode and connect_timeout",
        )
    for reason in _wrong_value(name, unquote(value)):
        raise _malformed(f"{name} {reason}", ENCODE if name in ("host", "port") else "")
    return f"{name}={value}"


def _wrong_value(name: str, value: str) -> Iterator[str]:
    if name == "sslmode" and value not in _SSL_MODES:
        yield f"must be one of {', '.join(_SSL_MODES)}"
    if name == "connect_timeout" and not re.fullmatch(r"[0-9]{1,6}", value):
        yield "must be a whole number of seconds"
    if name == "port" and not all(is_port(one) for one in value.split(",") if one):
        yield "must be a number from 1 to 65535"
    if name == "host" and not value.startswith(("/", "@")) and not all(map(is_place, value.split(","))):
        yield "contains a character that is not allowed in a host name"


def _malformed(why: str, remedy: str = "") -> SettingsError:
    return SettingsError(
        "the database URL is not well formed",
        where="database URL",
        why=why,
        remedy=remedy or f"Give it as {FORM}, and {ENCODE}",
    )


# Which databases the variables name: by a URL, by its parts, or none, which means the embedded PostgreSQL.

_DATABASE_PARTS = ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASS")


def pipeline_url(given: Mapping[str, str]) -> str | None:
    """The database of the pipeline's tables, for SQLAlchemy; None for the embedded one.

    Raises SettingsError for an invalid URL or incomplete parts.
    """
    url = _url(given, "DATABASE_SYNC_URL") or _url(given, "DATABASE_URL")
    if url or not given.keys() & set(_DATABASE_PARTS):
        return url
    missing = [part for part in ("DB_HOST", "DB_NAME", "DB_USER") if part not in given]
    if missing:
        raise SettingsError("the database is only partly configured", remedy=f"Set {' and '.join(missing)} too")
    port = given.get("DB_PORT", "5432")
    if not is_host(given["DB_HOST"]):
        raise SettingsError(
            "DB_HOST is not a host name or address",
            remedy="Give a name, an IPv4 address, or an IPv6 address in brackets, without port and user; for a socket "
            "directory set DATABASE_SYNC_URL=postgresql://user:password@/database?host=/directory",
        )
    if not is_port(port):
        raise SettingsError(f"DB_PORT is {shortened(port)}", remedy="Give a port number from 1 to 65535")
    user, password, name = (quote(given.get(part, ""), safe="") for part in ("DB_USER", "DB_PASS", "DB_NAME"))
    return with_driver(f"postgresql://{user}:{password}@{given['DB_HOST']}:{port}/{name}")


def dagster_url(given: Mapping[str, str], pipeline: str | None) -> str | None:
    """Dagster's own database: as set, else the pipeline's name plus `_dagster`; None for the embedded one.

    Raises SettingsError for an invalid URL.
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
