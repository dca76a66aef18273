"""The sign of life of an attempt: beats while work is really under way, and only for its own lease token."""

import time
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Self

from emag_pipeline.errors import DatabaseUnavailable, LeaseError, PipelineError
from emag_pipeline.logs import logger, with_context
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline.sync.ledger import Lease

log = logger(__name__)

#: Beats within one timeout: five may fail before the attempt counts as dead.
_BEATS_A_TIMEOUT = 6
#: How soon it is told what the work meets.
_LOOK_SECONDS = 1.0


class Heartbeat:
    """Beats from a thread of its own, so that neither a slow answer nor a long statement looks like death.

    At once when what keeps the work waiting (`obstacle`) has changed. `told` makes an outage into what is logged of it.

    A lost lease ends it quietly: the next write of the work finds out by itself.
    """

    def __init__(
        self,
        database: Database,
        lease: Lease,
        timeout_seconds: float,
        obstacle: Callable[[], str] = lambda: "",
        told: Callable[[DatabaseUnavailable], PipelineError] = lambda error: error,
    ) -> None:
        self._told = told
        self._database = database
        self._obstacle = obstacle
        self._lease = lease
        self._interval = timeout_seconds / _BEATS_A_TIMEOUT
        self._over = Event()
        self._thread = Thread(target=with_context(self._beat), name=f"heartbeat-{lease.account}", daemon=True)

    def _beat(self) -> None:
        told, next_beat = "", time.monotonic() + self._interval
        while not self._over.wait(min(_LOOK_SECONDS, max(0.0, next_beat - time.monotonic()))):
            met = self._obstacle()
            if met == told and time.monotonic() < next_beat:
                continue
            try:
                ledger.beat(self._database, self._lease, met)
                told, next_beat = met, time.monotonic() + self._interval
            except LeaseError:
                return
            except PipelineError as error:  # the database is away: the next beat may reach it
                next_beat = time.monotonic() + self._interval
                said = self._told(error) if isinstance(error, DatabaseUnavailable) else error
                log.warning("heartbeat_missed", error=said.message)

    def __enter__(self) -> Self:
        """Start beating."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Beat no more."""
        self._over.set()
