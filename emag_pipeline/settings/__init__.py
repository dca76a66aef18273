"""The environment as typed settings (README.md, "Settings"). Real environment wins over `.env`; empty means
unset, but for EMAG_HOME: of that it is an error.

Each field carries the variable that it comes from. A wrong value becomes one line: variable, value (masked if
secret), what is allowed.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from emag_pipeline.errors import SettingsError
from emag_pipeline.rate_limit import pace_seconds
from emag_pipeline.settings import cron, databases, sandbox_choice
from emag_pipeline.settings import env_file as dotenv
from emag_pipeline.settings.accounts import Account, AccountName
from emag_pipeline.settings.databases import passwords_in
from emag_pipeline.settings.home import default as default_home
from emag_pipeline.settings.redaction import secrets_of
from emag_pipeline.settings.values import is_bind, is_web, wrong_value
from emag_pipeline.wording import shortened

T = TypeVar("T")

#: File systems allow 255 bytes a name, in which more stands than the account; labels and tags of others allow 63.
LONGEST_ACCOUNT = 63
_ACCOUNT = re.compile(r"[a-z][a-z0-9_]*")
_ACCOUNT_VARIABLE = re.compile(r"EMAG_([A-Z][A-Z0-9_]*)_API_(?:USERNAME|PASSWORD)")
_MAINS = {"EMAG_API_USERNAME", "EMAG_API_PASSWORD"}
_OURS = ("EMAG_", "DATABASE_", "DB_", "DAGSTER_PG_URL")
#: of a webhook's query: `v=1` is no secret
_SHORTEST_TOKEN = 8
_MARKETPLACE = "https://marketplace-api.emag.ro/api-3"


def is_account_name(name: str) -> bool:
    """Whether an account can have that name; names become parts of file names and patterns."""
    return _ACCOUNT.fullmatch(name) is not None


def _schema(name: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name) or name.startswith("pg_") or name == "information_schema":
        raise ValueError("a name of lower-case letters, digits and underscores, not one of PostgreSQL's own")
    return name


def _time_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a directory among the zones
        raise ValueError("a name of the IANA time zone database is needed, such as UTC or Europe/Bucharest") from None


def _bind(address: str) -> str:
    if not is_bind(address):
        raise ValueError("an address of this machine is needed, or its name")
    return address


def _webhook(url: SecretStr | None) -> SecretStr | None:
    if url is not None and not is_web(url.get_secret_value()):
        raise ValueError(
            "an address that begins with https:// or http:// is needed, without user and password, and with nothing in "
            "it that has to be percent-encoded"
        )
    return url


def _language(code: str | None) -> str | None:
    if code is not None and not re.fullmatch(r"[a-z]{2}", code.lower()):
        raise ValueError("a two-letter code is needed, such as en or ro")
    return code.lower() if code else None


def _past(day: date) -> date:
    if day > datetime.now(UTC).date():
        raise ValueError("a day (UTC) that has begun is needed")
    return day


Port = Annotated[int, Field(ge=1, le=65535)]
Bind = Annotated[str, AfterValidator(_bind)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Cron = Annotated[str, AfterValidator(cron.checked)]


class Settings(BaseModel):
    """Everything that can be configured, valid. Secrets print as asterisks."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, hide_input_in_errors=True)

    accounts: tuple[Account, ...]
    uses_sandbox: bool
    #: EMAG_SANDBOX=1: the sandbox although a database is configured
    wants_sandbox: bool = False
    #: the `.env` that was read, None when there was none
    env_file: Path | None = None
    #: what it gave and the environment did not
    from_env_file: dict[str, SecretStr] = Field(default_factory=dict, repr=False, exclude=True)
    #: secrets of settings that were refused, where a process tells of these
    unusable: frozenset[str] = Field(frozenset(), repr=False, exclude=True)
    database_url: SecretStr | None
    dagster_pg_url: SecretStr | None
    db_schema: Annotated[str, AfterValidator(_schema)] = Field("app", alias="DB_SCHEMA")
    requests_per_second: Positive = Field(3.0, alias="EMAG_API_REQUESTS_PER_SECOND")
    requests_per_minute: Positive = Field(180.0, alias="EMAG_API_REQUESTS_PER_MINUTE")
    rate_share: Annotated[float, Field(gt=0, le=1)] = Field(1.0, alias="EMAG_SYNC_RATE_SHARE")
    page_size: Annotated[int, Field(ge=1, le=100)] = Field(100, alias="EMAG_API_PAGE_SIZE")
    silence_seconds: Positive = Field(60.0, alias="EMAG_API_SILENCE_SECONDS")
    call_seconds: Positive = Field(200.0, alias="EMAG_API_CALL_SECONDS")
    language: Annotated[str | None, AfterValidator(_language)] = Field(None, alias="EMAG_LANGUAGE")
    max_pages: Annotated[int, Field(ge=1)] = Field(100, alias="EMAG_SYNC_MAX_PAGES")
    timeout_hours: Positive = Field(2.0, alias="EMAG_SYNC_TIMEOUT_HOURS")
    batch_size: Annotated[int, Field(ge=1)] = Field(50, alias="EMAG_SYNC_BATCH_SIZE")
    progress_interval_seconds: Positive = Field(10.0, alias="EMAG_SYNC_PROGRESS_INTERVAL")
    monitor_interval_seconds: Positive = Field(300.0, alias="EMAG_SYNC_MONITOR_INTERVAL")
    stuck_threshold_hours: Positive = Field(1.0, alias="EMAG_SYNC_STUCK_THRESHOLD_HOURS")
    heartbeat_timeout_seconds: Positive = Field(120.0, alias="EMAG_SYNC_HEARTBEAT_TIMEOUT")
    stale_after_hours: Positive = Field(6.0, alias="EMAG_SYNC_STALE_AFTER_HOURS")
    reject_tolerance: Share = Field(0.01, alias="EMAG_SYNC_REJECT_TOLERANCE")
    max_shrink: Share = Field(0.2, alias="EMAG_SYNC_MAX_SHRINK")
    price_move: Positive = Field(0.5, alias="EMAG_CHECK_PRICE_MOVE")
    refresh_cron: Cron = Field("H * * * *", alias="EMAG_REFRESH_CRON")
    #: of daily_assortment: in Dagster each day from it on without a row looks missing; nobody published before this one
    first_day: Annotated[date, AfterValidator(_past)] = Field(date(2026, 10, 1), alias="EMAG_FIRST_DAY")
    reference_cron: Cron = Field("H 2 * * *", alias="EMAG_REFERENCE_CRON")
    maintenance_cron: Cron = Field("H 3 * * *", alias="EMAG_MAINTENANCE_CRON")
    cron_timezone: Annotated[str, AfterValidator(_time_zone)] = Field("UTC", alias="EMAG_CRON_TIMEZONE")
    metrics_port: Port = Field(9108, alias="EMAG_SYNC_METRICS_PORT")
    health_port: Port = Field(8000, alias="EMAG_SYNC_HEALTH_PORT")
    bind: Bind = Field("127.0.0.1", alias="EMAG_SYNC_BIND")
    alert_webhook_url: Annotated[SecretStr | None, AfterValidator(_webhook)] = Field(
        None, alias="EMAG_ALERT_WEBHOOK_URL"
    )
    home: Path = Field(default_factory=default_home, alias="EMAG_HOME")
    ui_port: Port = Field(3333, alias="EMAG_UI_PORT")
    sandbox_port: Port = Field(8765, alias="EMAG_SANDBOX_PORT")
    sandbox_url: str | None = Field(None, alias="EMAG_SANDBOX_URL")
    sandbox_bind: Bind = Field("127.0.0.1", alias="EMAG_SANDBOX_BIND")
    sandbox_hosts: str = Field("", alias="EMAG_SANDBOX_HOSTS")
    sandbox_parameters: Literal["top", "data", "both"] = Field("top", alias="EMAG_SANDBOX_PARAMETERS")
    given_concurrent_runs: Annotated[int | None, Field(ge=1)] = Field(None, alias="EMAG_MAX_CONCURRENT_RUNS")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", alias="EMAG_LOG_LEVEL")
    log_format: Literal["console", "json"] | None = Field(None, alias="EMAG_LOG_FORMAT")

    @property
    def pace_seconds(self) -> float:
        """Seconds between two calls of an account, all processes together (`rate_limit.pace_seconds`)."""
        return pace_seconds(self.requests_per_second, self.requests_per_minute, self.rate_share)

    @property
    def ports(self) -> dict[str, int]:
        """Where the programs of `up` listen, by variable."""
        sandbox = {"EMAG_SANDBOX_PORT": self.sandbox_port} if self.starts_sandbox else {}
        exporter = {"EMAG_SYNC_METRICS_PORT": self.metrics_port, "EMAG_SYNC_HEALTH_PORT": self.health_port}
        return {"EMAG_UI_PORT": self.ui_port, **exporter, **sandbox}

    @property
    def uses_embedded_database(self) -> bool:
        """No database is configured, so the one that comes with the package is used."""
        return self.database_url is None

    @property
    def starts_sandbox(self) -> bool:
        """The sandbox is used, and is no other program's (EMAG_SANDBOX_URL)."""
        return self.uses_sandbox and self.sandbox_url is None

    @property
    def sandbox_host(self) -> str:
        """The host by which this machine reaches the sandbox that it starts."""
        return sandbox_choice.reached_at(self.sandbox_bind)

    @property
    def concurrent_runs(self) -> int:
        """Runs that Dagster has under way at once: as set, else ten; more where there are accounts and cores for them.

        A scan waits for the marketplace most of its time, so that a core has room for eight; beside one run for each
        account there is room for marts, reference data and a backfill.
        """
        if self.given_concurrent_runs is not None:
            return self.given_concurrent_runs
        return max(10, min(len(self.accounts) + 4, 8 * (os.cpu_count() or 1)))

    @property
    def secrets(self) -> frozenset[str]:
        """Everything in here that must never be shown, alone and as it is sent. The sandbox's password is none."""
        accounts = [] if self.uses_sandbox else [secrets_of(account) for account in self.accounts]
        urls = [url.get_secret_value() for url in (self.database_url, self.dagster_pg_url) if url is not None]
        told = _secrets_of_webhook(self.alert_webhook_url.get_secret_value()) if self.alert_webhook_url else set()
        return frozenset().union(*accounts, *map(passwords_in, urls), told, self.unusable)

    @property
    def has_marketplace(self) -> bool:
        """Whether it is known what is to be read: not where a database is configured, and nothing to fill it from."""
        return not self.uses_sandbox or self.database_url is None or self.wants_sandbox

    def require_marketplace(self) -> None:
        """Raise SettingsError where invented offers would be published into a database that is somebody's.

        Without credentials, most likely misspelt ones, the sandbox is the marketplace; beside a configured database
        that must have been meant.
        """
        if not self.has_marketplace:
            raise SettingsError(
                "a database is configured, but no credentials of a marketplace",
                why="the sandbox's invented offers would be published into it",
                remedy="Set EMAG_API_USERNAME and EMAG_API_PASSWORD, or EMAG_SANDBOX=1 where that is meant",
            )

    def account(self, name: str) -> Account:
        """The account of that name. Raises SettingsError naming those that exist."""
        for account in self.accounts:
            if account.name == name:
                return account
        known = ", ".join(account.name for account in self.accounts)
        raise SettingsError(f"there is no account {name!r}", remedy=f"Use one of: {known}")

    @property
    def marketplaces(self) -> list[str]:
        """The names of the accounts' marketplaces, each once."""
        return list(dict.fromkeys(account.marketplace.name for account in self.accounts))

    @property
    def subjects(self) -> list[str]:
        """What checks answer about: the accounts and their marketplaces, by name."""
        return [*(account.name for account in self.accounts), *self.marketplaces]

    def language_of(self, name: str) -> str | None:
        """The language in which the marketplace is quoted for an account (two letters); None: English where it can be.

        EMAG_LANGUAGE, else that of the account's marketplace.
        """
        return self.language or self.account(name).marketplace.language


def load_settings(environ: Mapping[str, str] | None = None, env_file: Path | None = dotenv.DEFAULT) -> Settings:
    """Read the settings. Raises SettingsError with a line for each wrong variable, or for a `.env` that is not ours."""
    real = os.environ if environ is None else environ
    file = dotenv.read(env_file) if env_file is not None else None
    wrong: list[SettingsError] = list(file.problems) if file else []
    given = _together(file, real)
    if unreadable := [name for name in sorted(given) if name.startswith(_OURS) and not _is_text(given[name])]:
        told = [SettingsError(f"{name} holds what is no UTF-8 text", remedy="Give it as UTF-8") for name in unreadable]
        raise SettingsError.of_all([*wrong, *told])
    _unless_wrong(wrong, lambda: _require_home({**(file.values if file else {}), **real}))
    names = _unless_wrong(wrong, lambda: _account_names(given)) or []
    sandbox = not any(_credentials(given, name) != (None, None) for name in names)
    sandbox_url = _unless_wrong(wrong, lambda: _sandbox_url(given))
    where = (sandbox_url or "") if sandbox else None
    accounts = [_unless_wrong(wrong, partial(_account, given, name, where)) for name in names]
    _unless_wrong(wrong, lambda: _require_own_logins([account for account in accounts if account]))
    if sandbox and names:
        _unless_wrong(wrong, lambda: _require_no_marketplace(given))
    database = _unless_wrong(wrong, lambda: databases.pipeline_url(given))
    dagster = _unless_wrong(wrong, lambda: databases.dagster_url(given, database))
    try:
        settings = Settings.model_validate(
            {
                "accounts": tuple(filter(None, accounts)),
                "uses_sandbox": sandbox,
                "wants_sandbox": _unless_wrong([], lambda: sandbox_choice.is_wanted(given)) or False,
                "env_file": file.path if file else None,
                "from_env_file": {name: given[name] for name in _only_in(file, real) if name in given},
                "database_url": database,
                "dagster_pg_url": dagster,
                **{field.alias: given[field.alias] for field in Settings.model_fields.values() if field.alias in given},
            }
        )
    except ValidationError as error:
        wrong += [wrong_value(problem, Settings.model_fields, given) for problem in error.errors()]
    else:
        wrong += _contradictions(settings)
    if wrong:
        raise SettingsError.of_all(wrong)
    return settings


def _is_text(value: str) -> bool:
    """Python makes halves of letters of bytes in the environment that are not UTF-8."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _contradictions(settings: Settings) -> Iterator[SettingsError]:
    """What is right alone, and not together."""
    if settings.call_seconds < settings.silence_seconds:
        yield SettingsError(
            f"EMAG_API_CALL_SECONDS is {settings.call_seconds:g}, less than the {settings.silence_seconds:g} seconds "
            "of silence that EMAG_API_SILENCE_SECONDS allows within a call",
            remedy="Set the total at least as high as the silence",
        )
    if settings.heartbeat_timeout_seconds > settings.stuck_threshold_hours * 3600:
        yield SettingsError(
            f"EMAG_SYNC_HEARTBEAT_TIMEOUT is {settings.heartbeat_timeout_seconds:g} seconds, more than the "
            f"{settings.stuck_threshold_hours * 3600:g} after which EMAG_SYNC_STUCK_THRESHOLD_HOURS calls a sync stuck",
            why="each sync would be ended as stuck before anybody could tell that it is dead",
            remedy="Set the timeout below the threshold: 120 seconds beside 1 hour are the defaults",
        )
    by_port: dict[int, list[str]] = {}
    for variable, port in settings.ports.items():
        by_port.setdefault(port, []).append(variable)
    for port, variables in by_port.items():
        if len(variables) > 1:
            yield SettingsError(
                f"{' and '.join(variables)} are both {port}"
                if len(variables) == 2
                else f"{', '.join(variables)} are all {port}",
                why="one port takes one program",
                remedy="Give each another number",
            )


def _require_home(given: Mapping[str, str]) -> None:
    """An empty EMAG_HOME is most likely that of a variable that was not set where it was put together."""
    if not given.get("EMAG_HOME", "x").strip():
        raise SettingsError(
            "EMAG_HOME is empty",
            why="the default home would be used instead of the one that was meant",
            remedy="Set it to a directory, or unset it for the default",
        )


def given_variables(environ: Mapping[str, str] | None = None, env_file: Path | None = dotenv.DEFAULT) -> dict[str, str]:
    """All variables that are set, to what, with secrets in them: the environment's (this process's) over the file's.

    Raises SettingsError for a file that is not ours.
    """
    file = dotenv.read(env_file) if env_file is not None else None
    return _together(file, os.environ if environ is None else environ)


def secrets_given(given: Mapping[str, str]) -> frozenset[str]:
    """What of variables, right or wrong, must never be shown: passwords, and the pieces of a URL that is not one."""
    found: set[str] = set()
    for name, value in given.items():
        if name.endswith(("_PASSWORD", "DB_PASS")):
            found.add(value)
        elif name == "EMAG_ALERT_WEBHOOK_URL":
            found |= _secrets_of_webhook(value)
        elif name.endswith("_URL") and not is_web(value):
            found |= passwords_in(value)
    return frozenset(found)


def _secrets_of_webhook(url: str) -> set[str]:
    """The URL, and what of it a library could show alone: its path, the values of its query."""
    path, _, query = url.partition("://")[2].partition("/")[2].partition("?")
    values = {part.partition("=")[2] for part in query.split("&")}
    pieces = set() if is_web(url) else passwords_in(url)
    return {url, path.strip("/")} | pieces | {value for value in values if len(value) >= _SHORTEST_TOKEN}


def _together(file: dotenv.EnvFile | None, environ: Mapping[str, str]) -> dict[str, str]:
    given = {**(file.values if file else {}), **environ}
    return {name: value.strip() for name, value in given.items() if value.strip()}


def _only_in(file: dotenv.EnvFile | None, environ: Mapping[str, str]) -> list[str]:
    return [name for name in file.values if name not in environ] if file else []


@cache
def current() -> Settings:
    """The settings of this process, read once: what has been acted upon must not change under way."""
    return load_settings()


def _unless_wrong(wrong: list[SettingsError], read: Callable[[], T]) -> T | None:
    """What was read; or None, with the reason among those found before."""
    try:
        return read()
    except SettingsError as error:
        wrong.append(error)
        return None


def _account_names(given: Mapping[str, str]) -> list[str]:
    if "EMAG_ACCOUNTS" in given:
        return _named_accounts(given["EMAG_ACCOUNTS"])
    found = [match[1].lower() for name in given if (match := _ACCOUNT_VARIABLE.fullmatch(name))]
    main = ["main"] if _MAINS & given.keys() else []
    names = list(dict.fromkeys(main + sorted(found))) or list(sandbox_choice.OWN_ACCOUNTS)
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


def _credentials(given: Mapping[str, str], account: str) -> tuple[str | None, str | None]:
    return _variable(given, account, "USERNAME"), _variable(given, account, "PASSWORD")


def _require_own_logins(accounts: Sequence[Account]) -> None:
    """Two accounts of one login would spend its rate limit twice, and publish one catalogue twice."""
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


def _require_no_marketplace(given: Mapping[str, str]) -> None:
    if "EMAG_API_BASE_URL" in given:
        raise SettingsError(
            "a marketplace is set, but no credentials for it",
            where="EMAG_API_BASE_URL",
            remedy="Set EMAG_API_USERNAME and EMAG_API_PASSWORD, or unset it to use the sandbox",
        )


def _sandbox_url(given: Mapping[str, str]) -> str:
    """Where the sandbox is. Raises SettingsError where it is wanted although there are credentials."""
    credentials = sorted(name for name in given if name in _MAINS or _ACCOUNT_VARIABLE.fullmatch(name))
    if sandbox_choice.is_wanted(given) and credentials:
        raise SettingsError(
            "EMAG_SANDBOX is 1, and there are credentials for a marketplace",
            where=", ".join(credentials),
            remedy="Unset EMAG_SANDBOX to read the marketplace, or the credentials to read the sandbox",
        )
    return sandbox_choice.url(given)


def _account(given: Mapping[str, str], name: str, sandbox_url: str | None) -> Account:
    """The account; that of the sandbox where its URL is given."""
    if sandbox_url is not None:
        login = f"{name}@sandbox.example"
        return Account(AccountName(name), sandbox_url, login, SecretStr("sandbox"), is_of_sandbox=True)
    for what in ("USERNAME", "PASSWORD"):
        own, plain = f"EMAG_MAIN_API_{what}", f"EMAG_API_{what}"
        if name == "main" and given.get(own) and given.get(plain) not in (None, given[own]):
            raise SettingsError(f"{own} and {plain} differ", where=name, remedy="Both are of account main: unset one")
    username, password = _credentials(given, name)
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
    if not sandbox_choice.is_address(base):
        raise SettingsError(
            f"{variable} is no address of a marketplace",
            where=name,
            remedy=f"Give one like {_MARKETPLACE}, without user, password and query",
        )
    if not sandbox_choice.is_safe(base):
        raise SettingsError(
            f"{variable} is {shortened(base)}",
            where=name,
            why="user name and password would cross the network in the clear",
            remedy="Begin it with https://; http:// is for this machine only, or for the sandbox of EMAG_SANDBOX_URL",
        )
    variables = tuple(_name_of(given, name, what) for what in ("USERNAME", "PASSWORD"))
    return Account(AccountName(name), base.rstrip("/"), username, SecretStr(password), variables)
