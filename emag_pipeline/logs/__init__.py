"""Structured logs: one object per line, one event name per occurrence (docs/logs.md), account and sync on every line.

log = logger(__name__)
with about(account="main", sync_id=lease.sync_id):
    log.info("scan_planned", pages=12)

Events are records of `logging`, so that every handler can process them. `logs.configure` defines once per process where
lines go and how they are formatted.
"""

import contextvars
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, WrappedLogger

P = ParamSpec("P")
T = TypeVar("T")

#: `with about(account=…, sync_id=…):` adds these to every line in this context and thread.
about = structlog.contextvars.bound_contextvars
#: The context of this thread's work.
context = structlog.contextvars.get_contextvars


class Event(dict[str, Any]):
    """The message of an event's record: the facts, which other handlers can convert to text."""

    def __str__(self) -> str:
        facts = (f"{name}={value}" for name, value in self.items() if name not in ("event", "exc_info"))
        return " ".join([str(self["event"]), *facts])


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger of events for a module: `log.info("page_staged", page=3)`. Never raises, whatever its arguments."""
    made: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, _as_record],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    return made


def _as_record(logger: WrappedLogger, name: str, event: EventDict) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Prepare a record for structlog's formatter, with the error also where `logging` expects it."""
    args, kwargs = ProcessorFormatter.wrap_for_formatter(logger, name, Event(event))
    return args, {**kwargs, "exc_info": event.get("exc_info")}


def with_context(call: Callable[P, T]) -> Callable[P, T]:
    """Wrap a call for another thread, so that its lines have the same context as in this one."""
    copied = contextvars.copy_context()
    return lambda *args, **kwargs: copied.copy().run(call, *args, **kwargs)


_unprinted: contextvars.ContextVar[bool] = contextvars.ContextVar("unprinted", default=False)


@contextmanager
def unprinted() -> Iterator[None]:
    """In this context, a library's output about an event does not become another line."""
    token = _unprinted.set(True)
    try:
        yield
    finally:
        _unprinted.reset(token)


def is_unprinted() -> bool:
    """Whether this thread is in `unprinted`."""
    return _unprinted.get()
