"""The two databases as they are: nothing is started, created or migrated."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from emag_pipeline import embedded
from emag_pipeline.admin.doctor.finding import Finding, Verdict, broken, ok, warning
from emag_pipeline.databases import errors_with_cause, require_not_frozen, unchecked_database
from emag_pipeline.settings import Settings
from emag_pipeline.settings.addresses import driverless, masked
from emag_pipeline.store import migrate, server
from emag_pipeline.store import server as libpq
from emag_pipeline.store.engine import Database
from emag_pipeline.store.server import ConnectionFacts
from emag_pipeline.sync import locks
from emag_pipeline.wording import age, counted

SUBJECT = "database"
LOCKS = "locks"

_KEPT = "`emag-pipeline up` keeps it running, and the offers fresh"

# Whether a database's host accepts connections at all. The operating system accepts them at once even for a slow
# server; if it does not, nothing is there or a firewall drops the packets, and trying again would not help.

#: For all addresses together; less than the examination of the database has.
_SECONDS = 3.0


def unreachable(subject: str, url: str, whose: str = "") -> Iterator[Finding]:
    """A finding if no address of the URL accepts or refuses a connection, otherwise nothing. Raises nothing."""
    places = libpq.tcp_addresses(url)
    if places and all(_is_silent(host, port, _SECONDS / len(places)) for host, port in places):
        where = " and ".join(f"{host} port {port}" for host, port in places)
        what = f"{whose}no connection to {where} within {_SECONDS:g} seconds, and no refusal (connect timeout)"
        remedy = (
            "Nothing listens there, or a firewall drops the packets: correct host and port in the database URL, or "
            "allow connections from this machine"
        )
        yield broken(subject, what, remedy)


def _is_silent(host: str, port: str, seconds: float) -> bool:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:  # reported when the connection is made
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


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The pipeline's database as it is. Raises DatabaseUnavailable, also if it is embedded and not running."""
    with errors_with_cause(settings):
        database = unchecked_database(settings)
        try:
            yield database
        finally:
            database.close()


def if_silent(settings: Settings) -> str:
    """What to do if the server takes too long."""
    if settings.uses_embedded_database:
        return f"check this machine's load and {embedded.log_of(settings.home)}"
    return "check that this machine reaches the server: host and port, firewalls, the server's load"


def locked(settings: Settings) -> Iterator[Finding]:
    """Sessions that have been waiting for a lock for more than a moment, and who holds it."""
    with opened(settings) as database:
        found = locks.waits(database, locks.NOTABLE_SECONDS)
    for one in found:
        who = f"{one.application or 'a session'} (the database's process {one.process})"
        yield warning(LOCKS, f"{who} has been waiting for {age(one.seconds)} for {one.held}", one.remedy)
    if not found:
        yield ok(LOCKS, f"no session has been waiting for another one for {locks.NOTABLE_SECONDS:g} seconds or more")


def lost_since(settings: Settings, began: float) -> Iterator[Finding]:
    """A finding if the server restarted since that moment (monotonic). Raises DatabaseUnavailable if it is gone."""
    with opened(settings) as database:
        if server.uptime_seconds(database) < time.monotonic() - began:
            what = "the database server restarted during the examination"
            yield broken(SUBJECT, what, "Run `emag-pipeline doctor` again")


def examine(settings: Settings, *, slept: bool = False) -> Iterator[Finding]:
    """Is it reachable and encrypted, is its schema the one this code needs, and does the user have all privileges?

    `slept`: the embedded server was started for this examination.
    """
    where = settings.database_url
    if where is not None and (silent := list(unreachable(SUBJECT, where.get_secret_value()))):
        yield from silent
        return
    if where is None:
        require_not_frozen(settings.home)
    shown = masked(driverless(where.get_secret_value())) if where else f"embedded PostgreSQL in {settings.home}"
    with opened(settings) as database:
        found = server.connection(database)
        yield reached(found, shown, slept=slept and settings.uses_embedded_database)
        yield _encryption(found)
        yield database_clock(found.ahead_seconds, found.uncertain_seconds)
        migrate.check(database)
        yield ok(SUBJECT, f"schema {settings.db_schema} has the version that this program needs")
        yield _rights(database, found)


def reached(found: ConnectionFacts, shown: str, *, slept: bool) -> Finding:
    """The server that answers, and whether it can be used as it is. `shown` is its URL without the password."""
    if found.is_read_only:
        return broken(
            SUBJECT,
            f"{shown} is read-only: it is a replica, or a setting makes it so",
            "Use the primary server's address, or unset default_transaction_read_only for this user and database",
        )
    through = " through PgBouncer" if found.through_pooler else ""
    if int(found.version.split(".")[0]) < server.OLDEST_VERSION:
        return warning(
            SUBJECT,
            f"{shown} is PostgreSQL {found.version}; the oldest version that this program is tested with is "
            f"{server.OLDEST_VERSION}",
            f"Upgrade the server to PostgreSQL {server.OLDEST_VERSION} or newer (docs/how-to/database.md)",
        )
    size = f"{found.size_bytes / 2**20:,.0f} MiB"
    what = f"{shown} answers{through}: PostgreSQL {found.version}, user {found.user}, {size}"
    if slept:
        return warning(SUBJECT, f"{what}; it was stopped and was started only for this check", _KEPT)
    return ok(SUBJECT, what)


def _encryption(found: ConnectionFacts) -> Finding:
    if found.is_encrypted:
        checked = "checked" if found.ssl_mode.startswith("verify") else "not checked"
        how = f"{found.tls}, " if found.tls and not found.through_pooler else ""
        return ok(SUBJECT, f"the connection is encrypted ({how}sslmode={found.ssl_mode}: the certificate is {checked})")
    if found.is_local:
        return ok(
            SUBJECT, f"the connection is not encrypted but does not leave this machine (sslmode={found.ssl_mode})"
        )
    return warning(
        SUBJECT,
        f"passwords and offers cross the network in the clear (sslmode={found.ssl_mode}, not encrypted)",
        "Enable TLS on the server and add ?sslmode=verify-full to the database URL",
    )


def _rights(database: Database, found: ConnectionFacts) -> Finding:
    lacking = server.missing_rights(database)
    if not lacking:
        return ok(SUBJECT, f"user {found.user} can read and write every table")
    shown = "; ".join(f"{', '.join(rights)} on {table}" for table, rights in list(lacking.items())[:3])
    more = f" and on {len(lacking) - 3} more tables" if len(lacking) > 3 else ""
    remedy = "Run `emag-pipeline migrate` as the tables' owner: it grants them (docs/how-to/roles.md)"
    return broken(SUBJECT, f"user {found.user} lacks privileges: {shown}{more}", remedy)


# Other clocks against this machine's: deadlines, heartbeats and certificates are compared across machines.

CLOCK = "clock"

_WARNING_SECONDS = 2.0
#: A live sync of another machine would look dead: EMAG_SYNC_HEARTBEAT_TIMEOUT is two minutes.
_BROKEN_SECONDS = 60.0
_SET_CLOCKS = "Synchronize both clocks by NTP: `timedatectl set-ntp true`, or chrony"


def database_clock(ahead_seconds: float, uncertain_seconds: float) -> Finding:
    """The database's clock."""
    return _clock("the database's clock", ahead_seconds, uncertain_seconds)


def marketplace_clock(account: str, dated: datetime) -> Finding:
    """The clock of an account's marketplace, which shows whole seconds and is some milliseconds away."""
    ahead = (dated - datetime.now(UTC)).total_seconds()
    return _clock(f"the clock of {account}'s marketplace", ahead + 0.5, 1.5)


def _clock(whose: str, ahead_seconds: float, uncertain_seconds: float) -> Finding:
    at_least = abs(ahead_seconds) - uncertain_seconds
    if at_least <= _WARNING_SECONDS:
        return ok(CLOCK, f"{whose} agrees with this machine's")
    direction = "ahead of" if ahead_seconds > 0 else "behind"
    verdict = Verdict.BROKEN if at_least > _BROKEN_SECONDS else Verdict.WARNING
    return Finding(
        CLOCK,
        verdict,
        f"{whose} is {counted(round(abs(ahead_seconds)), 'second')} {direction} this machine's",
        _SET_CLOCKS,
    )
