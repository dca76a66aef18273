"""The two databases as they stand: nothing is started, made or migrated."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from emag_pipeline import embedded
from emag_pipeline.admin.doctor import clocks
from emag_pipeline.admin.doctor.finding import Finding, broken, ok, warning
from emag_pipeline.databases import as_it_stands, require_not_frozen, told_alike
from emag_pipeline.settings import Settings
from emag_pipeline.settings.databases import driverless, masked
from emag_pipeline.store import libpq, migrate, server
from emag_pipeline.store.engine import Database
from emag_pipeline.store.server import ConnectionFacts
from emag_pipeline.sync import locks
from emag_pipeline.wording import age

# Whether a database's host takes connections at all.
#
# A server that is only slow has its machine take the connection at once. Where even that does not come about, nothing
# is there, or a firewall drops what is sent without a word: that stays so however often one looks.

#: For all addresses together; less than the look at the database has.
_SECONDS = 3.0


def unheard(subject: str, url: str, whose: str = "") -> Iterator[Finding]:
    """A finding where no address of the URL takes a connection, nor refuses one; nothing else, and no error."""
    places = libpq.addresses(url)
    if places and all(_is_silent(host, port, _SECONDS / len(places)) for host, port in places):
        where = " and ".join(f"{host} port {port}" for host, port in places)
        what = f"{whose}no connection to {where} within {_SECONDS:g} seconds, and no refusal (connect timeout)"
        remedy = (
            "Nothing listens there, or a firewall drops the packets: correct host and port in the database URL, or "
            "open the way from this machine"
        )
        yield broken(subject, what, remedy)


def _is_silent(host: str, port: str, seconds: float) -> bool:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:  # said by whoever connects in earnest
        return False
    return all(_drops(family, address, seconds / len(addresses)) for family, _, _, _, address in addresses)


def _drops(family: int, address: object, seconds: float) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as line:
        line.settimeout(seconds)
        try:
            line.connect(address)  # type: ignore[arg-type]
        except TimeoutError:
            return True
        except OSError:
            return False
    return False


SUBJECT = "database"
LOCKS = "locks"

_KEPT = "`emag-pipeline up` keeps it running, and the offers fresh"


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The pipeline's database as it stands. Raises DatabaseUnavailable, also when it is embedded and does not run."""
    with told_alike(settings):
        database = as_it_stands(settings)
        try:
            yield database
        finally:
            database.close()


def if_silent(settings: Settings) -> str:
    """What to do where the server takes too long."""
    if settings.uses_embedded_database:
        return f"look at this machine's load and into {embedded.log_of(settings.home)}"
    return "see whether this machine reaches the server: its host and port, a firewall in between, its load"


def locked(settings: Settings) -> Iterator[Finding]:
    """Who keeps whom waiting, for longer than a moment."""
    with opened(settings) as database:
        found = locks.waits(database, locks.NOTABLE_SECONDS)
    for one in found:
        who = f"{one.application or 'a session'} (the database's process {one.process})"
        yield warning(LOCKS, f"{who} has been waiting for {age(one.seconds)} for {one.held}", one.remedy)
    if not found:
        yield ok(LOCKS, f"nobody has waited for {locks.NOTABLE_SECONDS:g} seconds for anybody else")


def lost_since(settings: Settings, began: float) -> Iterator[Finding]:
    """Whether the server is gone, or was restarted, since that moment (monotonic); nothing where it is as before."""
    with opened(settings) as database:
        if server.uptime_seconds(database) < time.monotonic() - began:
            what = "the database server was started again while it was looked at"
            yield broken(SUBJECT, what, "Run `emag-pipeline doctor` again")


def examine(settings: Settings, *, slept: bool = False) -> Iterator[Finding]:
    """Reachable, by whom, how; is the schema this code's; may this user do what the pipeline does?

    `slept`: the embedded server was started for this look.
    """
    where = settings.database_url
    if where is not None and (silent := list(unheard(SUBJECT, where.get_secret_value()))):
        yield from silent
        return
    if where is None:
        require_not_frozen(settings.home)
    shown = masked(driverless(where.get_secret_value())) if where else f"embedded PostgreSQL in {settings.home}"
    with opened(settings) as database:
        found = server.connection(database)
        yield reached(found, shown, slept=slept and settings.uses_embedded_database)
        yield _encryption(found)
        yield clocks.of_database(found.ahead_seconds, found.uncertain_seconds)
        migrate.check(database)
        yield ok(SUBJECT, f"schema {settings.db_schema} is the one that this program needs")
        yield _rights(database, found)


def reached(found: ConnectionFacts, shown: str, *, slept: bool) -> Finding:
    """The server that answers, and whether it can be used as it is. `shown`: its URL, without the password."""
    if found.is_read_only:
        return broken(
            SUBJECT,
            f"{shown} takes no writes: it is a replica, or read-only by a setting",
            "Give the primary server's address, or unset default_transaction_read_only for this user and database",
        )
    through = " through PgBouncer" if found.through_pooler else ""
    if int(found.version.split(".")[0]) < server.OLDEST_VERSION:
        return warning(
            SUBJECT,
            f"{shown} is PostgreSQL {found.version}; the oldest that this program is tried with is "
            f"{server.OLDEST_VERSION}",
            f"Upgrade the server to PostgreSQL {server.OLDEST_VERSION} or newer (docs/how-to/database.md)",
        )
    size = f"{found.size_bytes / 2**20:,.0f} MiB"
    what = f"{shown} answers{through}: PostgreSQL {found.version}, user {found.user}, {size}"
    if slept:
        return warning(SUBJECT, f"{what}; it slept, and runs for this look only", _KEPT)
    return ok(SUBJECT, what)


def _encryption(found: ConnectionFacts) -> Finding:
    if found.is_encrypted:
        checked = "checked" if found.ssl_mode.startswith("verify") else "not checked"
        how = f"{found.tls}, " if found.tls and not found.through_pooler else ""
        return ok(SUBJECT, f"the connection is encrypted ({how}sslmode={found.ssl_mode}: the certificate is {checked})")
    if found.is_local:
        return ok(
            SUBJECT, f"the connection is not encrypted, and does not leave this machine (sslmode={found.ssl_mode})"
        )
    return warning(
        SUBJECT,
        f"passwords and offers cross the network in the clear (sslmode={found.ssl_mode}, not encrypted)",
        "Switch on TLS at the server and add ?sslmode=verify-full to the database URL",
    )


def _rights(database: Database, found: ConnectionFacts) -> Finding:
    lacking = server.missing_rights(database)
    if not lacking:
        return ok(SUBJECT, f"user {found.user} may read and write every table")
    shown = "; ".join(f"{', '.join(rights)} on {table}" for table, rights in list(lacking.items())[:3])
    more = f" and on {len(lacking) - 3} more tables" if len(lacking) > 3 else ""
    remedy = "Run `emag-pipeline migrate` as the tables' owner, which grants them (docs/how-to/roles.md)"
    return broken(SUBJECT, f"user {found.user} lacks the rights {shown}{more}", remedy)
