"""Where this process's lines go, how they look, and what they must not contain; set once per process, at its start.

One pipeline of structlog's processors formats every record, an event of ours or a library's message: facts in a fixed
order, no secret in any of them, then JSON for programs or text for people.
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
#: The event of a library's message, which names none of its own.
FOREIGN = "library_said"
#: A line is read by machines that cut at some length; a traceback fits.
_LONGEST = 16_000


class _Standard(logging.StreamHandler[Any]):
    """Writes to whatever stderr is at the moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:
        """A line that cannot be written costs that line: nobody listens any more."""


def configure(settings: Settings) -> None:
    """Send the lines of this process, its libraries' too, to stderr by EMAG_LOG_LEVEL and EMAG_LOG_FORMAT."""
    level = level_of(settings)
    handler = _Standard()
    handler.setFormatter(formatter(Redactor(settings.secrets), as_json=is_json(settings)))
    handler.addFilter(_is_not_told_already)
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
    """As `configure`, for any command. Returns whether EMAG_LOG_FORMAT asks for JSON: then stderr has only that.

    Without settings, because some are wrong: by EMAG_LOG_LEVEL and EMAG_LOG_FORMAT, as far as these are right.
    """
    used = _settings_of_lines() if settings is None else settings
    configure(used)
    if used.log_format != "json":
        return False
    lines_only(used)
    return True


def configure_service(settings: Settings) -> None:
    """For a program that runs for people or as a service: where EMAG_LOG_FORMAT asks for JSON, it prints only that."""
    configure(settings)
    if settings.log_format == "json":
        lines_only(settings, stdout=True)


def lines_only(settings: Settings, *, stdout: bool = False) -> None:
    """Make a log line of everything that this process prints to stderr, and to stdout if asked; for JSON only.

    For processes whose output is read as a log only. What is not the process's own stream is left alone. A crash is
    one line, not twenty.
    """
    if is_json(settings):
        take_over(formatter(Redactor(settings.secrets), as_json=True), level_of(settings), stdout=stdout)


def is_json(settings: Settings) -> bool:
    """Whether lines are JSON: as set, else unless somebody watches in a terminal."""
    if settings.log_format is not None:
        return settings.log_format == "json"
    return sys.stderr is None or not sys.stderr.isatty()


def level_of(settings: Settings) -> int:
    """EMAG_LOG_LEVEL as `logging` has it."""
    return logging.getLevelNamesMapping()[settings.log_level.upper()]


def formatter(redact: Redactor, *, as_json: bool) -> ProcessorFormatter:
    """Formats records as lines of JSON, or for a terminal, where a traceback follows its line."""
    return ProcessorFormatter(
        foreign_pre_chain=[_foreign],
        processors=[format_exc_info, _ordered, _without_secrets(redact), _json() if as_json else _for_people()],
    )


def _foreign(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library's message is a fact, not an event."""
    return {**event, "event": FOREIGN, "message": event["event"]}


def _ordered(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Time, level, event and logger, what the work is about, then the facts."""
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
    """Settings that are all as by default, except for how this process's lines are to look."""
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
    """Whether Python made it for a library that logged before anybody had configured: each line would come twice."""
    return type(handler) is logging.StreamHandler and handler.stream in (sys.stderr, sys.__stderr__)


def _is_not_told_already(record: logging.LogRecord) -> bool:
    """Dagster itself prints what is logged through its own log manager."""
    return not hasattr(record, "dagster_meta")
