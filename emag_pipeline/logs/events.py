"""Events on their way into `logging`: a name, facts, and what the surrounding work is about."""

import contextvars
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import structlog
from structlog.typing import EventDict, WrappedLogger

P = ParamSpec("P")
T = TypeVar("T")

#: Where a record carries an event's facts; its message is the same as text, for handlers of others.
FACTS = "emag_facts"

#: `with about(account=…, sync_id=…):` puts these on every line within, in this thread.
about = structlog.contextvars.bound_contextvars


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger of events for a module: `log.info("page_staged", page=3)`. Never raises for what it is given."""
    made: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, _as_record],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    )
    return made


def with_context(call: Callable[P, T]) -> Callable[P, T]:
    """The call for another thread, where its lines are about the same as in this one."""
    context = contextvars.copy_context()
    return lambda *args, **kwargs: context.copy().run(call, *args, **kwargs)


def context() -> dict[str, Any]:
    """What the work of this thread is about."""
    return structlog.contextvars.get_contextvars()


_unprinted: contextvars.ContextVar[bool] = contextvars.ContextVar("unprinted", default=False)


@contextmanager
def unprinted() -> Iterator[None]:
    """Within, what a library prints of an event is no line of its own: the event is one already."""
    token = _unprinted.set(True)
    try:
        yield
    finally:
        _unprinted.reset(token)


def is_unprinted() -> bool:
    """Whether this thread is within `unprinted`."""
    return _unprinted.get()


def _as_record(_: WrappedLogger, __: str, event: EventDict) -> tuple[tuple[Any, ...], dict[str, Any]]:
    passed = {name: event.pop(name) for name in ("exc_info", "stack_info", "stacklevel") if name in event}
    facts = dict(event)
    text = " ".join([str(event.pop("event")), *(f"{name}={value}" for name, value in event.items())])
    return ("%s", text), {"extra": {FACTS: facts}, **passed}
