"""The story's main events, and what went wrong, in the run's own log: what the UI shows of a run.

Not through Dagster's `managed_python_loggers`: there an event that cannot be stored, because Dagster's database is
away, would raise where it is logged.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from emag_pipeline.logs import unprinted

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext


class _IntoRunLog(logging.Handler):
    """Each event is a row of some 1.3 kB in Dagster's event log: a sync has about six of them, if all goes well."""

    def __init__(self, context: Context) -> None:
        super().__init__(logging.INFO)
        self._context = context

    def emit(self, record: logging.LogRecord) -> None:
        try:
            with unprinted():
                self._context.log.log(record.levelno, record.getMessage())
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """The line stands in the process's log; what is logged about matters more."""


@contextmanager
def told_in_the_run(context: Context) -> Iterator[None]:
    """Within, events from `info` upwards stand in the log of this Dagster run too."""
    ours = logging.getLogger("emag_pipeline")
    handler = _IntoRunLog(context)
    ours.addHandler(handler)
    try:
        yield
    finally:
        ours.removeHandler(handler)
