"""`python -m emag_pipeline.logs.dagster_program MODULE ARGUMENTS…`: one of Dagster's own programs, with readable logs.

Dagster's lines keep their format. Everything else, and each error with its traceback, becomes one of our lines instead
of sixty, and repetitions are counted (`repeats`): Dagster leaves both to Python's handler of last resort.
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
    """Run the program that the command line names."""
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
    """Filter the handlers that Dagster adds later, after reading its options."""
    add = logger.addHandler

    def add_tamed(handler: logging.Handler) -> None:
        handler.addFilter(_as_it_is_meant)
        handler.addFilter(lambda record: not record.exc_info)
        handler.addFilter(Repeats(handler))
        add(handler)

    logger.addHandler = add_tamed  # type: ignore[assignment,method-assign]


def _as_it_is_meant(record: logging.LogRecord) -> bool:
    """Lower the level of the daemon's warnings about missing cursors, which are normal at its first start."""
    if record.levelno == logging.WARNING and record.getMessage().startswith(_FIRST_START):
        record.levelno, record.levelname = logging.INFO, "INFO"
        return logging.getLogger(record.name).isEnabledFor(logging.INFO)
    return True


def _is_ours_to_tell(record: logging.LogRecord) -> bool:
    """Whether Dagster's own handler does not print it: records of other loggers, and tracebacks, which it omits."""
    return bool(record.exc_info) or not record.name.startswith(_DAGSTERS)


if __name__ == "__main__":
    main()
