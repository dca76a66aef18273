"""Configures where this process's log lines go, their format and their redaction; once per process, at its start.

One pipeline of structlog processors formats every record, our events and messages of libraries: facts in a fixed
order, without secrets, then JSON for programs or text for people.
"""

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.processors import JSONRenderer, format_exc_info
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from emag_pipeline.errors import SettingsError
from emag_pipeline.logs import context
from emag_pipeline.logs.printed import take_over
from emag_pipeline.logs.repeats import Repeats
from emag_pipeline.settings import Settings, given_variables, load_settings, secrets_given
from emag_pipeline.settings.redaction import Redactor
from emag_pipeline.wording import iso

#: Of libraries only warnings and errors are of interest, unless debugging: they report every connection.
_LIBRARIES_LEVEL = logging.WARNING
#: The event name of messages of libraries.
FOREIGN = "library_said"
#: Log collectors cut long lines; a traceback fits into this length.
_LONGEST = 16_000


class _Standard(logging.StreamHandler[Any]):
    """Writes to the current stderr."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:
        """Drop a line that cannot be written, because there is no reader any more."""


def configure(settings: Settings) -> None:
    """Log to stderr, including libraries, according to EMAG_LOG_LEVEL and EMAG_LOG_FORMAT."""
    level = level_of(settings)
    handler = _Standard()
    handler.setFormatter(formatter(Redactor(settings.secrets), as_json=is_json(settings)))
    handler.addFilter(_is_not_printed_by_dagster)
    handler.addFilter(Repeats(handler))
    root = logging.getLogger()
    for one in [one for one in root.handlers if isinstance(one, _Standard) or _is_last_resort(one)]:
        root.removeHandler(one)
    root.addHandler(handler)
    root.setLevel(level if level <= logging.DEBUG else max(level, _LIBRARIES_LEVEL))
    logging.getLogger("emag_pipeline").setLevel(level)
    logging.getLogger("sqlalchemy").setLevel(_LIBRARIES_LEVEL)  # at debug it would report every row that it reads
    logging.captureWarnings(True)


def configure_command(settings: Settings | None) -> bool:
    """Like `configure`, for any command. Returns whether EMAG_LOG_FORMAT is JSON: then stderr contains only that.

    Without settings, because some are wrong: uses EMAG_LOG_LEVEL and EMAG_LOG_FORMAT if these are valid.
    """
    used = _settings_of_lines() if settings is None else settings
    configure(used)
    if used.log_format != "json":
        return False
    lines_only(used)
    return True


def configure_service(settings: Settings) -> None:
    """For a program that runs for people or as a service: if EMAG_LOG_FORMAT is JSON, it prints nothing else."""
    configure(settings)
    if settings.log_format == "json":
        lines_only(settings, stdout=True)


def lines_only(settings: Settings, *, stdout: bool = False) -> None:
    """Turn everything that this process prints to stderr, and optionally to stdout, into log lines; for JSON only.

    For processes whose output is only read as a log. Streams that are not the process's own are not changed. A crash is
    one line, not twenty.
    """
    if is_json(settings):
        take_over(formatter(Redactor(settings.secrets), as_json=True), level_of(settings), stdout=stdout)


def is_json(settings: Settings) -> bool:
    """Whether lines are JSON: as configured, else unless stderr is a terminal."""
    if settings.log_format is not None:
        return settings.log_format == "json"
    return sys.stderr is None or not sys.stderr.isatty()


def level_of(settings: Settings) -> int:
    """EMAG_LOG_LEVEL as a level of `logging`."""
    return logging.getLevelNamesMapping()[settings.log_level.upper()]


def formatter(redact: Redactor, *, as_json: bool) -> ProcessorFormatter:
    """Formats records as JSON lines, or for a terminal, where a traceback follows its line."""
    return ProcessorFormatter(
        foreign_pre_chain=[_foreign],
        processors=[format_exc_info, _ordered, _without_secrets(redact), _json() if as_json else _for_people()],
    )


def _foreign(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Store a library's message as a fact, not as the event name."""
    return {**event, "event": FOREIGN, "message": event["event"]}


def _ordered(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Order the keys: time, level, event and logger, context, then the facts."""
    record = event.pop("_record")
    del event["_from_structlog"]
    return {
        "time": iso(datetime.fromtimestamp(record.created, UTC)),
        "level": record.levelname.lower(),
        "event": event["event"],
        "logger": record.name,
        **context(),
        **event,
    }


def _without_secrets(redact: Redactor) -> Processor:
    def clean(value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, datetime):
            return iso(value)
        if isinstance(value, Mapping):
            return {str(name): clean(one) for name, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [clean(one) for one in value]
        return redact(str(value), _LONGEST)

    return lambda _, __, event: {name: clean(value) for name, value in event.items()}


def _json() -> JSONRenderer:
    return JSONRenderer(ensure_ascii=False)


def _for_people() -> structlog.dev.ConsoleRenderer:
    is_watched = sys.stderr is not None and sys.stderr.isatty()
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=is_watched, timestamp_key="time", exception_formatter=plain)


def _settings_of_lines() -> Settings:
    """Default settings, except for the format of this process's lines."""
    given: Mapping[str, str] = os.environ
    with suppress(SettingsError):  # a `.env` that is not ours
        given = given_variables()
    right: dict[str, str] = {}
    for name in ("EMAG_LOG_LEVEL", "EMAG_LOG_FORMAT"):
        with suppress(SettingsError):
            load_settings(found := {name: given[name]} if name in given else {}, env_file=None)
            right |= found
    return load_settings(right, env_file=None).model_copy(update={"unusable": secrets_given(given)})


def _is_last_resort(handler: logging.Handler) -> bool:
    """Whether Python created it for a library that logged before the configuration; it would print each line twice."""
    return type(handler) is logging.StreamHandler and handler.stream in (sys.stderr, sys.__stderr__)


def _is_not_printed_by_dagster(record: logging.LogRecord) -> bool:
    """Whether Dagster does not print it itself, as it does for records of its own log manager."""
    return not hasattr(record, "dagster_meta")
