"""Where this process's lines go, how they look, and what they must not hold; once a process, at its start."""

import atexit
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from emag_pipeline.errors import SettingsError
from emag_pipeline.logs import lines as interruptions
from emag_pipeline.logs.events import context, is_unprinted, logger
from emag_pipeline.logs.lines import Lines
from emag_pipeline.logs.repeats import Repeats
from emag_pipeline.logs.stream import LinesOnly
from emag_pipeline.settings import Settings, given_variables, load_settings, secrets_given
from emag_pipeline.settings.redaction import Redactor
from emag_pipeline.wording import iso_now

log = logger(__name__)

#: Of libraries only what is wrong is of interest, unless debugging: they tell of every connection.
_LIBRARIES_LEVEL = logging.WARNING
#: A line that this process printed, other than through a logger.
PRINTED = "line_printed"
_LEVEL_IN_A_LINE = re.compile(r" - (DEBUG|INFO|WARNING|ERROR|CRITICAL) - ")


class _Standard(logging.StreamHandler[Any]):
    """Writes to whatever stderr is at the moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:
        """A line that cannot be written costs that line: nobody hears any more."""


def configure(settings: Settings) -> None:
    """Send the lines of this process, its libraries' too, to stderr by EMAG_LOG_LEVEL and EMAG_LOG_FORMAT."""
    level = _level(settings)
    handler = _Standard()
    handler.setFormatter(_lines(settings))
    handler.addFilter(_is_not_told_already)
    handler.addFilter(Repeats(handler))
    root = logging.getLogger()
    for one in [one for one in root.handlers if isinstance(one, _Standard) or _is_last_resort(one)]:
        root.removeHandler(one)
    root.addHandler(handler)
    root.setLevel(level if level <= logging.DEBUG else max(level, _LIBRARIES_LEVEL))
    logging.getLogger("emag_pipeline").setLevel(level)
    logging.getLogger("sqlalchemy").setLevel(_LIBRARIES_LEVEL)  # at debug it would tell every row that it reads
    logging.captureWarnings(True)


def configure_command(settings: Settings | None) -> bool:
    """As `configure`, for any command. Returns whether EMAG_LOG_FORMAT asks for JSON: then stderr has only that.

    Without settings, because some are wrong: by EMAG_LOG_LEVEL and EMAG_LOG_FORMAT, as far as these are right.
    """
    used = _of_lines() if settings is None else settings
    configure(used)
    if used.log_format != "json":
        return False
    take_over(used)
    return True


def says_lines() -> bool:
    """Whether all that this process prints to stderr becomes log lines."""
    return isinstance(sys.stderr, LinesOnly)


def _is_last_resort(handler: logging.Handler) -> bool:
    """Whether it is what Python makes for a library that logs before anybody has configured: each line came twice."""
    return type(handler) is logging.StreamHandler and handler.stream in (sys.stderr, sys.__stderr__)


def take_over(settings: Settings, *, stdout: bool = False) -> None:
    """Make a log line of everything that this process prints to stderr, and to stdout if asked; for JSON only.

    For processes whose output nobody but a reader of logs sees. What is not the process's own stream is left alone.
    A crash is one line, not twenty.
    """
    if not is_json(settings):
        return
    for name in ("stderr", "stdout") if stdout else ("stderr",):
        _make_lines_of(name, _wrapped(settings))
    sys.excepthook = _crashed
    threading.excepthook = lambda crash: _crashed(crash.exc_type, crash.exc_value, crash.exc_traceback)


def configure_service(settings: Settings) -> None:
    """For a program that runs for people or as a service: where EMAG_LOG_FORMAT asks for JSON, it prints only that."""
    configure(settings)
    if settings.log_format == "json":
        take_over(settings, stdout=True)


def is_json(settings: Settings) -> bool:
    """Whether lines are JSON: as set, else unless somebody watches in a terminal."""
    if settings.log_format is not None:
        return settings.log_format == "json"
    return sys.stderr is None or not sys.stderr.isatty()


def _of_lines() -> Settings:
    """Settings that are all as by default, but for how this process's lines are to look."""
    given: Mapping[str, str] = os.environ
    with suppress(SettingsError):  # a `.env` that is not ours
        given = given_variables()
    right: dict[str, str] = {}
    for name in ("EMAG_LOG_LEVEL", "EMAG_LOG_FORMAT"):
        with suppress(SettingsError):
            load_settings(found := {name: given[name]} if name in given else {}, env_file=None)
            right |= found
    return load_settings(right, env_file=None).model_copy(update={"unusable": secrets_given(given)})


def _level(settings: Settings) -> int:
    return logging.getLevelNamesMapping()[settings.log_level.upper()]


def _lines(settings: Settings) -> Lines:
    return Lines(Redactor(settings.secrets), as_json=is_json(settings))


def _make_lines_of(name: str, wrap: Callable[[str], str]) -> None:
    stream = getattr(sys, name)
    if stream is not None and stream is getattr(sys, f"__{name}__"):
        ours = LinesOnly(stream, wrap, interruptions.shortened, _begins_a_record)
        setattr(sys, name, ours)
        atexit.register(ours.close_line)


def _begins_a_record(line: str) -> bool:
    """Whether it is of Dagster's console, where the traceback of an error follows it."""
    return _LEVEL_IN_A_LINE.search(line) is not None


def _wrapped(settings: Settings) -> Callable[[str], str]:
    """What becomes of a printed line: nothing, where it says itself that it is below the level (Dagster's do)."""
    lines, lowest = _lines(settings), _level(settings)

    def wrap(text: str) -> str:
        found = _LEVEL_IN_A_LINE.search(text)
        level = found[1] if found else "INFO"
        if is_unprinted() or (found and logging.getLevelNamesMapping()[level] < lowest):
            return ""
        at = iso_now()
        entry = {"time": at, "level": level.lower(), "event": PRINTED, "logger": "output", **context(), "message": text}
        return lines.line(entry)

    return wrap


#: Dagster's by its name: importing Dagster takes a second.
_ENDS = frozenset(
    {"KeyboardInterrupt", "SystemExit", "GeneratorExit", "Interrupted", "DagsterExecutionInterruptedError"}
)


def _crashed(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if _ENDS.isdisjoint(one.__name__ for one in kind.__mro__):  # what a signal or an exit has raised is no crash
        log.critical("crashed", exc_info=(kind, error, trace))


def _is_not_told_already(record: logging.LogRecord) -> bool:
    """Dagster prints what is logged through its own log manager itself."""
    return not hasattr(record, "dagster_meta")
