"""All settings as one model: each field with its variable, default and allowed values."""

import os
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import cron
from emag_pipeline.settings.accounts import Account, pace_seconds, reached_at
from emag_pipeline.settings.addresses import is_bind, is_web, passwords_in
from emag_pipeline.settings.home import default as default_home
from emag_pipeline.settings.redaction import secrets_of, secrets_of_webhook


def _schema(name: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name) or name.startswith("pg_") or name == "information_schema":
        raise ValueError("a name of lower-case letters, digits and underscores is needed, not one of PostgreSQL's own")
    return name


def _time_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a directory in the database
        raise ValueError("a name of the IANA time zone database is needed, such as UTC or Europe/Bucharest") from None


def _bind(address: str) -> str:
    if not is_bind(address):
        raise ValueError("an address of this machine is needed, or its name")
    return address


def _webhook(url: SecretStr | None) -> SecretStr | None:
    if url is not None and not is_web(url.get_secret_value()):
        raise ValueError(
            "an address that begins with https:// or http:// is needed, without user and password, and with special "
            "characters percent-encoded"
        )
    return url


def _language(code: str | None) -> str | None:
    if code is not None and not re.fullmatch(r"[a-z]{2}", code.lower()):
        raise ValueError("a two-letter code is needed, such as en or ro")
    return code.lower() if code else None


def _past(day: date) -> date:
    if day > datetime.now(UTC).date():
        raise ValueError("a day (UTC) that is not in the future is needed")
    return day


Port = Annotated[int, Field(ge=1, le=65535)]
Bind = Annotated[str, AfterValidator(_bind)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Cron = Annotated[str, AfterValidator(cron.checked)]


class Settings(BaseModel):
    """All settings, validated. Secrets print as asterisks."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, hide_input_in_errors=True)

    accounts: tuple[Account, ...]
    uses_sandbox: bool
    #: EMAG_SANDBOX=1: use the sandbox although a database is configured
    wants_sandbox: bool = False
    #: the `.env` that was read, None if there was none
    env_file: Path | None = None
    #: its variables that the environment did not set
    from_env_file: dict[str, SecretStr] = Field(default_factory=dict, repr=False, exclude=True)
    #: secrets of refused settings, to be redacted when these are reported
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
    #: first partition of daily_assortment; Dagster shows each later day without data as missing
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
        """Seconds between two calls of an account, across all processes (`accounts.pace_seconds`)."""
        return pace_seconds(self.requests_per_second, self.requests_per_minute, self.rate_share)

    @property
    def ports(self) -> dict[str, int]:
        """The ports of the programs that `up` starts, by variable."""
        sandbox = {"EMAG_SANDBOX_PORT": self.sandbox_port} if self.starts_sandbox else {}
        exporter = {"EMAG_SYNC_METRICS_PORT": self.metrics_port, "EMAG_SYNC_HEALTH_PORT": self.health_port}
        return {"EMAG_UI_PORT": self.ui_port, **exporter, **sandbox}

    @property
    def uses_embedded_database(self) -> bool:
        """No database is configured, so the one bundled with the package is used."""
        return self.database_url is None

    @property
    def starts_sandbox(self) -> bool:
        """The sandbox is used and not run by another program (EMAG_SANDBOX_URL)."""
        return self.uses_sandbox and self.sandbox_url is None

    @property
    def sandbox_host(self) -> str:
        """The host under which this machine reaches the sandbox that it starts."""
        return reached_at(self.sandbox_bind)

    @property
    def concurrent_runs(self) -> int:
        """Maximum of concurrent Dagster runs: as set, else ten, or more if there are enough accounts and cores.

        A scan mostly waits for the marketplace, so eight fit on a core. In addition to one run per account there are
        four for marts, reference data and a backfill.
        """
        if self.given_concurrent_runs is not None:
            return self.given_concurrent_runs
        return max(10, min(len(self.accounts) + 4, 8 * (os.cpu_count() or 1)))

    @property
    def secrets(self) -> frozenset[str]:
        """All secrets in the settings, plain and as they are sent. The sandbox's password is not one."""
        accounts = [] if self.uses_sandbox else [secrets_of(account) for account in self.accounts]
        urls = [url.get_secret_value() for url in (self.database_url, self.dagster_pg_url) if url is not None]
        of_webhook = secrets_of_webhook(self.alert_webhook_url.get_secret_value()) if self.alert_webhook_url else set()
        return frozenset().union(*accounts, *map(passwords_in, urls), of_webhook, self.unusable)

    @property
    def has_marketplace(self) -> bool:
        """Whether there is a marketplace to read: false if a database is configured, but neither login nor sandbox."""
        return not self.uses_sandbox or self.database_url is None or self.wants_sandbox

    def require_marketplace(self) -> None:
        """Raise SettingsError if invented offers would be published into a configured database.

        Without credentials (perhaps misspelt) the sandbox is used; together with a configured database it must be
        requested explicitly.
        """
        if not self.has_marketplace:
            raise SettingsError(
                "a database is configured, but no marketplace credentials",
                why="the sandbox's invented offers would be published into it",
                remedy="Set EMAG_API_USERNAME and EMAG_API_PASSWORD, or EMAG_SANDBOX=1 if that is intended",
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
        """The names of the accounts' marketplaces, without duplicates."""
        return list(dict.fromkeys(account.marketplace.name for account in self.accounts))

    @property
    def subjects(self) -> list[str]:
        """The subjects of checks: the accounts and their marketplaces, by name."""
        return [*(account.name for account in self.accounts), *self.marketplaces]

    def language_of(self, name: str) -> str | None:
        """The language (two letters) for texts of the account's marketplace; None: English if available.

        EMAG_LANGUAGE, else the language of the account's marketplace.
        """
        return self.language or self.account(name).marketplace.language
