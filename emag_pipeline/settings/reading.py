"""Reads the environment and `.env` into the model. All errors are reported at once, one line per variable."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import addresses
from emag_pipeline.settings import env_file as dotenv
from emag_pipeline.settings.accounts import (
    account_names,
    account_of,
    credentials,
    is_sandbox_wanted,
    require_no_marketplace,
    require_own_logins,
    sandbox_url_unless_credentials,
)
from emag_pipeline.settings.model import Settings
from emag_pipeline.settings.wrong_variables import wrong_value

T = TypeVar("T")

_OURS = ("EMAG_", "DATABASE_", "DB_", "DAGSTER_PG_URL")


@cache
def current() -> Settings:
    """The settings of this process, read once, so that they cannot change while it runs."""
    return load_settings()


def load_settings(environ: Mapping[str, str] | None = None, env_file: Path | None = dotenv.DEFAULT) -> Settings:
    """Read the settings. Raises SettingsError with a line per wrong variable, or for a `.env` of another user."""
    real = os.environ if environ is None else environ
    file = dotenv.read(env_file) if env_file is not None else None
    wrong: list[SettingsError] = list(file.problems) if file else []
    given = _together(file, real)
    if unreadable := [name for name in sorted(given) if name.startswith(_OURS) and not _is_text(given[name])]:
        undecodable = [SettingsError(f"{name} is not valid UTF-8", remedy="Set it in UTF-8") for name in unreadable]
        raise SettingsError.of_all([*wrong, *undecodable])
    _unless_wrong(wrong, lambda: _require_home({**(file.values if file else {}), **real}))
    names = _unless_wrong(wrong, lambda: account_names(given)) or []
    sandbox = not any(credentials(given, name) != (None, None) for name in names)
    sandbox_url = _unless_wrong(wrong, lambda: sandbox_url_unless_credentials(given))
    where = (sandbox_url or "") if sandbox else None
    accounts = [_unless_wrong(wrong, partial(account_of, given, name, where)) for name in names]
    _unless_wrong(wrong, lambda: require_own_logins([account for account in accounts if account]))
    if sandbox and names:
        _unless_wrong(wrong, lambda: require_no_marketplace(given))
    database = _unless_wrong(wrong, lambda: addresses.pipeline_url(given))
    dagster = _unless_wrong(wrong, lambda: addresses.dagster_url(given, database))
    try:
        settings = Settings.model_validate(
            {
                "accounts": tuple(filter(None, accounts)),
                "uses_sandbox": sandbox,
                "wants_sandbox": _unless_wrong([], lambda: is_sandbox_wanted(given)) or False,
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
    """Python represents environment bytes that are not UTF-8 as lone surrogates."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _contradictions(settings: Settings) -> Iterator[SettingsError]:
    """Values that are valid alone but not together."""
    if settings.call_seconds < settings.silence_seconds:
        yield SettingsError(
            f"EMAG_API_CALL_SECONDS is {settings.call_seconds:g}, less than the {settings.silence_seconds:g} seconds "
            "that EMAG_API_SILENCE_SECONDS allows without data within a call",
            remedy="Set EMAG_API_CALL_SECONDS at least as high as EMAG_API_SILENCE_SECONDS",
        )
    if settings.heartbeat_timeout_seconds > settings.stuck_threshold_hours * 3600:
        yield SettingsError(
            f"EMAG_SYNC_HEARTBEAT_TIMEOUT is {settings.heartbeat_timeout_seconds:g} seconds, more than the "
            f"{settings.stuck_threshold_hours * 3600:g} after which EMAG_SYNC_STUCK_THRESHOLD_HOURS calls a sync stuck",
            why="a dead sync would always be ended as stuck first",
            remedy="Set the timeout below the threshold; the defaults are 120 seconds and 1 hour",
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
                why="only one program can listen on a port",
                remedy="Give each its own number",
            )


def _require_home(given: Mapping[str, str]) -> None:
    """Refuse an empty EMAG_HOME: most likely it was built from another variable that was not set."""
    if not given.get("EMAG_HOME", "x").strip():
        raise SettingsError(
            "EMAG_HOME is empty",
            why="the default home would be used instead of the intended one",
            remedy="Set it to a directory, or unset it for the default",
        )


def given_variables(environ: Mapping[str, str] | None = None, env_file: Path | None = dotenv.DEFAULT) -> dict[str, str]:
    """All variables with their values, secrets included; the environment wins over the file.

    Raises SettingsError for a file of another user.
    """
    file = dotenv.read(env_file) if env_file is not None else None
    return _together(file, os.environ if environ is None else environ)


def _together(file: dotenv.EnvFile | None, environ: Mapping[str, str]) -> dict[str, str]:
    given = {**(file.values if file else {}), **environ}
    return {name: value.strip() for name, value in given.items() if value.strip()}


def _only_in(file: dotenv.EnvFile | None, environ: Mapping[str, str]) -> list[str]:
    return [name for name in file.values if name not in environ] if file else []


def _unless_wrong(wrong: list[SettingsError], read: Callable[[], T]) -> T | None:
    """The result of `read`, or None after appending its error to `wrong`."""
    try:
        return read()
    except SettingsError as error:
        wrong.append(error)
        return None
