"""An account: one seller login on one marketplace, and the partition key everywhere; its rate limit.

And which accounts the variables name, or whether the sandbox is the marketplace.
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

#: File systems allow 255 bytes a name, in which more stands than the account; labels and tags of others allow 63.
LONGEST_ACCOUNT = 63
_ACCOUNT = re.compile(r"[a-z][a-z0-9_]*")
_ACCOUNT_VARIABLE = re.compile(r"EMAG_([A-Z][A-Z0-9_]*)_API_(?:USERNAME|PASSWORD)")
_MAINS = {"EMAG_API_USERNAME", "EMAG_API_PASSWORD"}
_MARKETPLACE = "https://marketplace-api.emag.ro/api-3"

# Which marketplace an account sells on, told from the address of its API (docs/marketplace-api.md, "Platforms").


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One country's platform. `currency` (ISO 4217) and `language` are None where the platform is not known."""

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
    """The marketplace behind an API's address: the sandbox for one on this machine, a strange one named by its host."""
    host = urlsplit(base_url).hostname or ""
    if host in _BY_HOST:
        return _BY_HOST[host]
    return SANDBOX if is_here(host) else Marketplace(host)


def is_here(host: str) -> bool:
    """Whether a host is this machine, by a loopback address or the name `localhost`."""
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
    #: the environment variables that user name and password come from
    variables: tuple[str, ...] = ("EMAG_API_USERNAME", "EMAG_API_PASSWORD")
    #: the sandbox by choice, wherever it is
    is_of_sandbox: bool = False

    @property
    def login(self) -> str:
        """Fingerprint of whom the marketplace sees: accounts that share it share the rate limit and the catalogue."""
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
# Two sliding windows apply: so many calls in any second, so many in any minute. Calls that keep one even distance
# satisfy both at once: with a pace of 1/r seconds, any r + 1 calls span more than a second. Unlike bursts, a pace also
# leaves room for the seller's other programs, and four calls are never at a window's edge.

#: A call that left on time may arrive late by some milliseconds, the next one less late. At 3 calls a
#: second this much air lets four arrivals be squeezed by 35 ms and still span a whole second.
SAFETY_MARGIN = 1.035

#: No pause that the marketplace asks for is kept longer; after it a call shows whether it still wants one.
LONGEST_PAUSE_SECONDS = 120.0


def pace_seconds(requests_per_second: float, requests_per_minute: float, share: float = 1.0) -> float:
    """Seconds between two calls of an account, all processes together.

    `share` is the part of the account's budget that this software may use (0 < share <= 1).
    """
    return max(1.0 / requests_per_second, 60.0 / requests_per_minute) * SAFETY_MARGIN / share


# Is the sandbox the marketplace, and where is it? And which addresses may be reached without encryption.

#: Those of the sandbox that nobody tells others. Told here too, since the sandbox itself takes long to load.
SANDBOX_ACCOUNTS = ("main", "fbe")
_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}


def is_sandbox_wanted(given: Mapping[str, str]) -> bool:
    """Whether EMAG_SANDBOX asks for it. Raises SettingsError for a value that is neither yes nor no."""
    value = given.get("EMAG_SANDBOX", "0").lower()
    if value not in _YES | _NO:
        raise SettingsError(
            f"EMAG_SANDBOX is {shortened(given['EMAG_SANDBOX'])}",
            remedy="Set EMAG_SANDBOX=1 for the sandbox, or unset it",
        )
    return value in _YES


def sandbox_url(given: Mapping[str, str]) -> str:
    """The base URL of the sandbox's API, without a trailing slash.

    That of EMAG_SANDBOX_URL, where another program runs it, else of the one that `up` and `sync` start. Raises
    SettingsError for an address that is none, or one given without EMAG_SANDBOX=1.
    """
    if "EMAG_SANDBOX_URL" not in given:
        bind, port = given.get("EMAG_SANDBOX_BIND", "127.0.0.1"), given.get("EMAG_SANDBOX_PORT", "8765")
        host = reached_at(bind if is_bind(bind) else "127.0.0.1")  # what is wrong with either is said of itself
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{port if is_port(port) else '8765'}/api-3"
    if not is_sandbox_wanted(given):
        raise SettingsError(
            "EMAG_SANDBOX_URL is set, but not EMAG_SANDBOX",
            remedy="Set EMAG_SANDBOX=1 to read invented offers from there, or unset EMAG_SANDBOX_URL",
        )
    address = given["EMAG_SANDBOX_URL"].rstrip("/")
    if not is_address(address):
        raise SettingsError(
            "EMAG_SANDBOX_URL is no address of a sandbox",
            remedy="Set it like EMAG_SANDBOX_URL=http://127.0.0.1:8765/api-3, without user or query",
        )
    return address if urlsplit(address).path else f"{address}/api-3"


def reached_at(bind: str) -> str:
    """The host by which this machine reaches what listens on that address."""
    return "127.0.0.1" if bind == "0.0.0.0" else bind  # noqa: S104 - where to look, not where to listen


def is_address(base_url: str) -> bool:
    """Whether it is an http or https address without user, query and fragment."""
    return is_web(base_url) and not set("@?#") & set(base_url)


def is_safe(base_url: str) -> bool:
    """Whether credentials may go there: encrypted, or not leaving this machine."""
    parts = urlsplit(base_url)
    return parts.scheme == "https" or is_here(parts.hostname or "")


# Which accounts the variables name.


def is_account_name(name: str) -> bool:
    """Whether an account can have that name; names become parts of file names and patterns."""
    return _ACCOUNT.fullmatch(name) is not None


def account_names(given: Mapping[str, str]) -> list[str]:
    """The accounts that the variables name, else the sandbox's. Raises SettingsError for a name that cannot be."""
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
        raise SettingsError(f"EMAG_ACCOUNTS is {shortened(value)}", why="a name is missing at a comma", remedy=remedy)
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
        f"the account's name {shortened(name[:20] + '…')} has {len(name)} letters",
        where=where,
        why="it is part of names of files, of partitions and schedules in Dagster, and of tags",
        remedy=f"Give it {LONGEST_ACCOUNT} letters at most",
    )


def _name_of(given: Mapping[str, str], account: str, what: str) -> str:
    """The variable that says this of the account; `main` needs no name in it."""
    own = f"EMAG_{account.upper()}_API_{what}"
    return f"EMAG_API_{what}" if account == "main" and own not in given else own


def _variable(given: Mapping[str, str], account: str, what: str) -> str | None:
    return given.get(_name_of(given, account, what))


def credentials(given: Mapping[str, str], account: str) -> tuple[str | None, str | None]:
    """User name and password that variables give for an account, None for each that is missing."""
    return _variable(given, account, "USERNAME"), _variable(given, account, "PASSWORD")


def require_own_logins(accounts: Sequence[Account]) -> None:
    """Raise SettingsError for two accounts of one login: its limit would be spent, its catalogue published twice."""
    by_login: dict[str, list[Account]] = {}
    for account in accounts:
        by_login.setdefault(account.login, []).append(account)
    for same in by_login.values():
        if len(same) > 1:
            names = " and ".join(account.name for account in same)
            raise SettingsError(
                f"the accounts {names} are one and the same login",
                where=" and ".join(account.variables[0] for account in same),
                why="its rate limit would be spent twice, and its catalogue published twice",
                remedy="Give each account the user name of its own login, or leave all but one out of EMAG_ACCOUNTS",
            )


def require_no_marketplace(given: Mapping[str, str]) -> None:
    """Raise SettingsError where a marketplace is set although the sandbox is used: credentials are missing."""
    if "EMAG_API_BASE_URL" in given:
        raise SettingsError(
            "a marketplace is set, but no credentials for it",
            where="EMAG_API_BASE_URL",
            remedy="Set EMAG_API_USERNAME and EMAG_API_PASSWORD, or unset it to use the sandbox",
        )


def sandbox_url_unless_credentials(given: Mapping[str, str]) -> str:
    """Where the sandbox is. Raises SettingsError where it is wanted although there are credentials."""
    credentials = sorted(name for name in given if name in _MAINS or _ACCOUNT_VARIABLE.fullmatch(name))
    if is_sandbox_wanted(given) and credentials:
        raise SettingsError(
            "EMAG_SANDBOX is 1, and there are credentials for a marketplace",
            where=", ".join(credentials),
            remedy="Unset EMAG_SANDBOX to read the marketplace, or the credentials to read the sandbox",
        )
    return sandbox_url(given)


def account_of(given: Mapping[str, str], name: str, sandbox_url: str | None) -> Account:
    """The account as the variables say; that of the sandbox where its URL is given. Raises SettingsError."""
    if sandbox_url is not None:
        login = f"{name}@sandbox.example"
        return Account(AccountName(name), sandbox_url, login, SecretStr("sandbox"), is_of_sandbox=True)
    for what in ("USERNAME", "PASSWORD"):
        own, plain = f"EMAG_MAIN_API_{what}", f"EMAG_API_{what}"
        if name == "main" and given.get(own) and given.get(plain) not in (None, given[own]):
            raise SettingsError(f"{own} and {plain} differ", where=name, remedy="Both are of account main: unset one")
    username, password = credentials(given, name)
    prefix = "EMAG_API" if name == "main" else f"EMAG_{name.upper()}_API"
    if username is None or password is None:
        missing = [f"{prefix}_{what}" for what, value in (("USERNAME", username), ("PASSWORD", password)) if not value]
        named = given.get("EMAG_ACCOUNTS")
        raise SettingsError(
            "the account has no complete credentials",
            where=f"{name} of EMAG_ACCOUNTS={named}" if named else name,
            remedy=f"Set {' and '.join(missing)}" + (", or correct EMAG_ACCOUNTS" if named else ""),
        )
    if ":" in username:
        raise SettingsError(f"{prefix}_USERNAME holds a colon", remedy="Basic authorization allows none in a user name")
    own = f"EMAG_{name.upper()}_API_BASE_URL"
    base = given.get(own) or given.get("EMAG_API_BASE_URL") or _MARKETPLACE
    variable = own if own in given else "EMAG_API_BASE_URL"
    if not is_address(base):
        raise SettingsError(
            f"{variable} is no address of a marketplace",
            where=name,
            remedy=f"Give one like {_MARKETPLACE}, without user, password and query",
        )
    if not is_safe(base):
        raise SettingsError(
            f"{variable} is {shortened(base)}",
            where=name,
            why="user name and password would cross the network in the clear",
            remedy="Begin it with https://; http:// is for this machine only, or for the sandbox of EMAG_SANDBOX_URL",
        )
    variables = tuple(_name_of(given, name, what) for what in ("USERNAME", "PASSWORD"))
    return Account(AccountName(name), base.rstrip("/"), username, SecretStr(password), variables)
