"""`python -m emag_pipeline.logs.dagster_program MODULE ARGUMENTS…`: one of Dagster's own programs, with readable logs.

Dagster's lines keep their form. Everything else, and each error with its traceback, is one line of ours instead of
sixty, and repetitions are counted (`repeats`): Dagster leaves both to Python's last resort.
"""

import logging
import runpy
import sys

from emag_pipeline.logs.configure import configure, lines_only
from emag_pipeline.logs.repeats import Repeats
from emag_pipeline.settings import current

_DAGSTERS = ("dagster", "dagster-webserver")
_FIRST_START = "No cursor for event type "


def main() -> None:
    """Become the program that the command line names."""
    configure(current())
    lines_only(current(), stdout=True)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_ours_to_tell)
    for name in _DAGSTERS:
        _tame(logging.getLogger(name))
    _, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _tame(logger: logging.Logger) -> None:
    """Dagster configures its loggers later, when it has read its options."""
    add = logger.addHandler

    def add_tamed(handler: logging.Handler) -> None:
        handler.addFilter(_as_it_is_meant)
        handler.addFilter(lambda record: not record.exc_info)
        handler.addFilter(Repeats(handler))
        add(handler)

    logger.addHandler = add_tamed  # type: ignore[assignment,method-assign]


def _as_it_is_meant(record: logging.LogRecord) -> bool:
    """At its first start a daemon has no cursor yet, for any event: that is not a warning."""
    if record.levelno == logging.WARNING and record.getMessage().startswith(_FIRST_START):
        record.levelno, record.levelname = logging.INFO, "INFO"
        return logging.getLogger(record.name).isEnabledFor(logging.INFO)
    return True


def _is_ours_to_tell(record: logging.LogRecord) -> bool:
    """Dagster's own handler tells the rest; of an error it leaves out the traceback."""
    return bool(record.exc_info) or not record.name.startswith(_DAGSTERS)


if __name__ == "__main__":
    main()
