"""Accounts: one seller login on one marketplace each, the partition key everywhere; their rate limit.

Also: which accounts the variables name, and whether the sandbox is the marketplace.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from typing import NewType
from urllib.parse import urlsplit

from pydantic import SecretStr

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings.addresses import is_bind, is_port, is_web
from emag_pipeline.wording import shortened

#: In characters. Account names are parts of file names (255 bytes at most); other systems' labels and tags allow 63.
LONGEST_ACCOUNT = 63
_ACCOUNT = re.compile(r"[a-z][a-z0-9_]*")
_ACCOUNT_VARIABLE = re.compile(r"EMAG_([A-Z][A-Z0-9_]*)_API_(?:USERNAME|PASSWORD)")
_MAINS = {"EMAG_API_USERNAME", "EMAG_API_PASSWORD"}
_MARKETPLACE = "https://marketplace-api.emag.ro/api-3"

# Which marketplace an account sells on, derived from the address of its API (docs/marketplace-api.md, "Platforms").


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One country's platform. `currency` (ISO 4217) and `language` are None if the platform is unknown."""

    name: str
    currency: str | None = None
    language: str | None = None


#: Bulgaria uses the euro since 2026-01-01; the vendor's document still says BGN.
_BY_HOST = {
    "marketplace-api.emag.ro": Marketplace("emag_ro", "RON", "ro"),
    "marketplace-api.emag.bg": Marketplace("emag_bg", "EUR", "bg"),
    "marketplace-api.emag.hu": Marketplace("emag_hu", "HUF", "hu"),
    "marketplace-ro-api.fashiondays.com": Marketplace("fashiondays_ro", "RON", "ro"),
    "marketplace-bg-api.fashiondays.com": Marketplace("fashiondays_bg", "EUR", "bg"),
}
#: Behaves like eMAG Romania.
SANDBOX = Marketplace("sandbox", "RON", "ro")


def marketplace_of(base_url: str) -> Marketplace:
    """The marketplace at an API address: the sandbox for one on this machine; an unknown one is named by its host."""
    host = urlsplit(base_url).hostname or ""
    if host in _BY_HOST:
        return _BY_HOST[host]
    return SANDBOX if is_here(host) else Marketplace(host)


def is_here(host: str) -> bool:
    """Whether the host is a loopback address or `localhost`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


AccountName = NewType("AccountName", str)


@dataclass(frozen=True, slots=True)
class Account:
    """One seller login. `base_url` has no trailing slash, e.g. `https://marketplace-api.emag.ro/api-3`."""

    name: AccountName
    base_url: str
    username: str
    password: SecretStr = field(repr=False)
    #: the environment variables of user name and password
    variables: tuple[str, ...] = ("EMAG_API_USERNAME", "EMAG_API_PASSWORD")
    #: the account belongs to the sandbox, at whatever address it runs
    is_of_sandbox: bool = False

    @property
    def login(self) -> str:
        """Fingerprint of the login: accounts that share it share the rate limit and the catalogue."""
        parts = urlsplit(self.base_url)
        port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
        seen = f"{parts.hostname}{port}{parts.path.rstrip('/')}\n{self.username.casefold()}"
        return sha256(seen.encode()).hexdigest()[:32]

    @property
    def marketplace(self) -> Marketplace:
        """The marketplace that the account sells on."""
        return SANDBOX if self.is_of_sandbox else marketplace_of(self.base_url)

    @property
    def host(self) -> str:
        """The marketplace's host, without port."""
        return urlsplit(self.base_url).hostname or ""


# The marketplace's rate limit as one even pace (docs/marketplace-api.md, "Rate limits").
#
# Two sliding windows apply: one limit per second, one per minute. Evenly spaced calls satisfy both: at a pace of 1/r
# seconds, any r + 1 calls span more than a second. Unlike bursts, an even pace also leaves capacity for the seller's
# other programs.

#: Network latency varies, so calls may arrive closer together than they were sent. At 3 calls per second this margin
#: allows four arrivals to be 35 ms closer together and still span a whole second.
SAFETY_MARGIN = 1.035

#: Upper bound for a pause that the marketplace asks for; the next call shows whether it still wants one.
LONGEST_PAUSE_SECONDS = 120.0


def pace_seconds(requests_per_second: float, requests_per_minute: float, share: float = 1.0) -> float:
    """Seconds between two calls of an account, across all processes.

    `share` is the fraction of the account's budget that this software may use (0 < share <= 1).
    """
    return max(1.0 / requests_per_second, 60.0 / requests_per_minute) * SAFETY_MARGIN / share


# Is the sandbox the marketplace, and where is it? Which addresses may be used without encryption?

#: The sandbox's default accounts. Repeated here because the sandbox's own module is slow to import.
SANDBOX_ACCOUNTS = ("main", "fbe")
_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}


def is_sandbox_wanted(given: Mapping[str, str]) -> bool:
    """Whether EMAG_SANDBOX is on. Raises SettingsError for a value that is neither yes nor no."""
    value = given.get("EMAG_SANDBOX", "0").lower()
    if value not in _YES | _NO:
        raise SettingsError(
            f"EMAG_SANDBOX is {shortened(given['EMAG_SANDBOX'])}",
            remedy="Set EMAG_SANDBOX=1 for the sandbox, or unset it",
        )
    return value in _YES


def sandbox_url(given: Mapping[str, str]) -> str:
    """The base URL of the sandbox's API, without a trailing slash.

    EMAG_SANDBOX_URL if another program runs it, else that of the sandbox that `up` and `sync` start. Raises
    SettingsError for an invalid address, or one given without EMAG_SANDBOX=1.
    """
    if "EMAG_SANDBOX_URL" not in given:
        bind, port = given.get("EMAG_SANDBOX_BIND", "127.0.0.1"), given.get("EMAG_SANDBOX_PORT", "8765")
        host = reached_at(bind if is_bind(bind) else "127.0.0.1")  # invalid values are reported elsewhere
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{port if is_port(port) else '8765'}/api-3"
    if not is_sandbox_wanted(given):
        raise SettingsError(
            "EMAG_SANDBOX_URL is set, but not EMAG_SANDBOX",
            remedy="Set EMAG_SANDBOX=1 to read the sandbox's invented offers, or unset EMAG_SANDBOX_URL",
        )
    address = given["EMAG_SANDBOX_URL"].rstrip("/")
    if not is_address(address):
        raise SettingsError(
            "EMAG_SANDBOX_URL is not the address of a sandbox",
            remedy="Set it like EMAG_SANDBOX_URL=http://127.0.0.1:8765/api-3, without user or query",
        )
    return address if urlsplit(address).path else f"{address}/api-3"


def reached_at(bind: str) -> str:
    """The host under which this machine reaches a program that listens on that address."""
    return "127.0.0.1" if bind == "0.0.0.0" else bind  # noqa: S104 - an address to connect to, not to listen on


def is_address(base_url: str) -> bool:
    """Whether it is an http or https address without user, query or fragment."""
    return is_web(base_url) and not set("@?#") & set(base_url)


def is_safe(base_url: str) -> bool:
    """Whether credentials may be sent there: over TLS, or without leaving this machine."""
    parts = urlsplit(base_url)
    return parts.scheme == "https" or is_here(parts.hostname or "")


# Which accounts the variables name.


def is_account_name(name: str) -> bool:
    """Whether an account can have that name; names are used in file names and patterns."""
    return _ACCOUNT.fullmatch(name) is not None


def account_names(given: Mapping[str, str]) -> list[str]:
    """The accounts that the variables name, else the sandbox's. Raises SettingsError for an invalid name."""
    if "EMAG_ACCOUNTS" in given:
        return _named_accounts(given["EMAG_ACCOUNTS"])
    found = [match[1].lower() for name in given if (match := _ACCOUNT_VARIABLE.fullmatch(name))]
    main = ["main"] if _MAINS & given.keys() else []
    names = list(dict.fromkeys(main + sorted(found))) or list(SANDBOX_ACCOUNTS)
    long = sorted(name for name in names if len(name) > LONGEST_ACCOUNT)
    if long:
        raise _too_long(long[0], f"EMAG_{long[0][:20].upper()}…")
    return names


def _named_accounts(value: str) -> list[str]:
    names = [part.strip() for part in value.split(",")]
    remedy = "Give names like main,fbe: a lower-case letter, then letters, digits or underscores"
    if not all(names):
        raise SettingsError(f"EMAG_ACCOUNTS is {shortened(value)}", why="it has an empty name", remedy=remedy)
    if not all(map(is_account_name, names)):
        raise SettingsError(f"EMAG_ACCOUNTS is {shortened(value)}", remedy=remedy)
    for name in names:
        if len(name) > LONGEST_ACCOUNT:
            raise _too_long(name, "EMAG_ACCOUNTS")
        if names.count(name) > 1:
            why = f"it names {name} twice"
            raise SettingsError(f"EMAG_ACCOUNTS is {shortened(value)}", why=why, remedy="Name each account once")
    return names


def _too_long(name: str, where: str) -> SettingsError:
    return SettingsError(
        f"the account name {shortened(name[:20] + '…')} has {len(name)} characters",
        where=where,
        why="it becomes part of file names and of Dagster's partitions, schedules and tags",
        remedy=f"Use at most {LONGEST_ACCOUNT} characters",
    )


def _name_of(given: Mapping[str, str], account: str, what: str) -> str:
    """The account's variable of this kind; for `main` it may omit the account's name."""
    own = f"EMAG_{account.upper()}_API_{what}"
    return f"EMAG_API_{what}" if account == "main" and own not in given else own


def _variable(given: Mapping[str, str], account: str, what: str) -> str | None:
    return given.get(_name_of(given, account, what))


def credentials(given: Mapping[str, str], account: str) -> tuple[str | None, str | None]:
    """The account's user name and password as given, None for each that is missing."""
    return _variable(given, account, "USERNAME"), _variable(given, account, "PASSWORD")


def require_own_logins(accounts: Sequence[Account]) -> None:
    """Raise SettingsError if two accounts share one login, and with it the rate limit and the catalogue."""
    by_login: dict[str, list[Account]] = {}
    for account in accounts:
        by_login.setdefault(account.login, []).append(account)
    for same in by_login.values():
        if len(same) > 1:
            names = " and ".join(account.name for account in same)
            raise SettingsError(
                f"the accounts {names} use the same login",
                where=" and ".join(account.variables[0] for account in same),
                why="its rate limit would be spent twice, and its catalogue published twice",
                remedy="Give each account the user name of its own login, or leave all but one out of EMAG_ACCOUNTS",
            )


def require_no_marketplace(given: Mapping[str, str]) -> None:
    """Raise SettingsError if a marketplace is set but no credentials, so that the sandbox would be used."""
    if "EMAG_API_BASE_URL" in given:
        raise SettingsError(
            "a marketplace is set, but no credentials for it",
            where="EMAG_API_BASE_URL",
            remedy="Set EMAG_API_USERNAME and EMAG_API_PASSWORD, or unset it to use the sandbox",
        )


def sandbox_url_unless_credentials(given: Mapping[str, str]) -> str:
    """The sandbox's base URL. Raises SettingsError if it is requested although there are credentials."""
    credentials = sorted(name for name in given if name in _MAINS or _ACCOUNT_VARIABLE.fullmatch(name))
    if is_sandbox_wanted(given) and credentials:
        raise SettingsError(
            "EMAG_SANDBOX is 1, and there are credentials for a marketplace",
            where=", ".join(credentials),
            remedy="Unset EMAG_SANDBOX to read the marketplace, or the credentials to read the sandbox",
        )
    return sandbox_url(given)


def account_of(given: Mapping[str, str], name: str, sandbox_url: str | None) -> Account:
    """The account as the variables define it; the sandbox's account if its URL is given. Raises SettingsError."""
    if sandbox_url is not None:
        login = f"{name}@sandbox.example"
        return Account(AccountName(name), sandbox_url, login, SecretStr("sandbox"), is_of_sandbox=True)
    for what in ("USERNAME", "PASSWORD"):
        own, plain = f"EMAG_MAIN_API_{what}", f"EMAG_API_{what}"
        if name == "main" and given.get(own) and given.get(plain) not in (None, given[own]):
            raise SettingsError(f"{own} and {plain} differ", where=name, remedy="Both are for account main: unset one")
    username, password = credentials(given, name)
    prefix = "EMAG_API" if name == "main" else f"EMAG_{name.upper()}_API"
    if username is None or password is None:
        missing = [f"{prefix}_{what}" for what, value in (("USERNAME", username), ("PASSWORD", password)) if not value]
        named = given.get("EMAG_ACCOUNTS")
        raise SettingsError(
            "the account's credentials are incomplete",
            where=f"{name} of EMAG_ACCOUNTS={named}" if named else name,
            remedy=f"Set {' and '.join(missing)}" + (", or correct EMAG_ACCOUNTS" if named else ""),
        )
    if ":" in username:
        raise SettingsError(
            f"{prefix}_USERNAME contains a colon", remedy="HTTP Basic authentication allows no colon in a user name"
        )
    own = f"EMAG_{name.upper()}_API_BASE_URL"
    base = given.get(own) or given.get("EMAG_API_BASE_URL") or _MARKETPLACE
    variable = own if own in given else "EMAG_API_BASE_URL"
    if not is_address(base):
        raise SettingsError(
            f"{variable} is not the address of a marketplace",
            where=name,
            remedy=f"Set it like {_MARKETPLACE}, without user, password or query",
        )
    if not is_safe(base):
        raise SettingsError(
            f"{variable} is {shortened(base)}",
            where=name,
            why="user name and password would be sent unencrypted",
            remedy="Use https://; http:// is allowed for this machine only, or for the sandbox of EMAG_SANDBOX_URL",
        )
    variables = tuple(_name_of(given, name, what) for what in ("USERNAME", "PASSWORD"))
    return Account(AccountName(name), base.rstrip("/"), username, SecretStr(password), variables)
