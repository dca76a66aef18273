"""The connection of a database URL for PostgreSQL's own programs: as environment, since command lines are public."""

from itertools import zip_longest

from sqlalchemy import make_url

from emag_pipeline.errors import SettingsError
from emag_pipeline.store.engine import CONNECT_TIMEOUT_SECONDS

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
#: of the connection's upkeep, which these programs do without
_LEFT_OUT = {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"}


def addresses(url: str) -> list[tuple[str, str]]:
    """Hosts and ports of the URL's servers on TCP; none for the directory of a socket."""
    address = make_url(url)
    _, given = address.get_dialect()().create_connect_args(address)
    hosts = str(given.get("hostaddr") or given.get("host") or "").split(",")
    places = zip_longest(hosts, str(given.get("port") or "").split(","), fillvalue="")
    return [(host, port or _PORT) for host, port in places if host and not host.startswith(("/", "@"))]


def environment(url: str) -> dict[str, str]:
    """Variables that connect a program of PostgreSQL to the URL's database.

    Raises SettingsError for a parameter that cannot be passed on.
    """
    address = make_url(url)
    _, parameters = address.get_dialect()().create_connect_args(address)
    given = {name: str(value) for name, value in parameters.items() if name not in _LEFT_OUT}
    unknown = sorted(given.keys() - _VARIABLES.keys())
    if unknown:
        raise SettingsError(
            f"the database URL's parameter {unknown[0]} cannot be passed on to PostgreSQL's programs",
            remedy="Leave it out of the URL for this command",
        )
    connect = {"connect_timeout": str(CONNECT_TIMEOUT_SECONDS), "application_name": "emag_pipeline"}
    return {_VARIABLES[name]: value for name, value in {**connect, **given}.items()}
