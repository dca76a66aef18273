"""Runs an attempt with a heartbeat, and records its end in the ledger with reason and remedy.

The heartbeat shows that the process is alive; each beat carries the lease token, so that it cannot count for another
attempt. Every failure releases the lease. So all retries work the same way: the next attempt, be it an op retry, a run
retry or tomorrow's run, begins with `lease.take_lease` and resumes the durable pages.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from threading import Event, Thread
from types import TracebackType
from typing import Self, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from emag_pipeline import process_end, wording
from emag_pipeline.databases import log_of, with_cause
from emag_pipeline.errors import DatabaseUnavailable, EndFromOutside, LeaseError, PipelineError, SyncTimedOut
from emag_pipeline.logs import about, logger, with_context
from emag_pipeline.settings.redaction import redact
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.ledger import Lease, SyncStatus
from emag_pipeline.sync.locks import LockWatch
from emag_pipeline.wording import gist

T = TypeVar("T")

log = logger(__name__)

#: Heartbeats per timeout: five may fail before the attempt counts as dead.
_BEATS_A_TIMEOUT = 6
#: How soon a new obstacle is reported.
_LOOK_SECONDS = 1.0


def retry_on_db_error(work: Callable[[], T]) -> T:
    """Do short database work, up to four times if the database is unreachable or reports a deadlock.

    The work must be a single transaction, so that a failed attempt leaves nothing behind.
    """
    retrying = Retrying(
        retry=retry_if_exception_type(DatabaseUnavailable),
        stop=stop_after_attempt(4),
        wait=wait_exponential_jitter(multiplier=0.5, max=10),
        before_sleep=_tell,
        reraise=True,
    )
    return retrying(work)


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("database_work_repeated", tries=state.attempt_number, error=str(error))


class Heartbeat:
    """Beats from its own thread, so that neither a slow response nor a long statement looks like a dead process.

    It beats at once when `obstacle` (what the work is waiting for) changes. `explained` adds an outage's cause for the
    log.

    It ends quietly if the lease is lost: the next write of the work will find out.
    """

    def __init__(
        self,
        database: Database,
        lease: Lease,
        timeout_seconds: float,
        obstacle: Callable[[], str] = lambda: "",
        explained: Callable[[DatabaseUnavailable], PipelineError] = lambda error: error,
    ) -> None:
        self._explained = explained
        self._database = database
        self._obstacle = obstacle
        self._lease = lease
        self._interval = timeout_seconds / _BEATS_A_TIMEOUT
        self._over = Event()
        self._thread = Thread(target=with_context(self._beat), name=f"heartbeat-{lease.account}", daemon=True)

    def _beat(self) -> None:
        recorded, next_beat = "", time.monotonic() + self._interval
        while not self._over.wait(min(_LOOK_SECONDS, max(0.0, next_beat - time.monotonic()))):
            met = self._obstacle()
            if met == recorded and time.monotonic() < next_beat:
                continue
            try:
                ledger.beat(self._database, self._lease, met)
                recorded, next_beat = met, time.monotonic() + self._interval
            except LeaseError:
                return
            except PipelineError as error:  # the database is unreachable: the next beat may succeed
                next_beat = time.monotonic() + self._interval
                said = self._explained(error) if isinstance(error, DatabaseUnavailable) else error
                log.warning("heartbeat_missed", error=said.message)

    def __enter__(self) -> Self:
        """Start beating."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop beating."""
        self._over.set()


@contextmanager
def attempt(context: SyncContext, lease: Lease, obstacle: Callable[[], str] = lambda: "") -> Iterator[None]:
    """Work under the lease. Records every exception in the ledger, then passes it on.

    `obstacle` returns what the work is waiting for, or an empty text; it is recorded in the ledger with each beat.
    """
    names = about(account=lease.account, sync_id=str(lease.sync_id), attempt=lease.attempt, run_id=context.run_id)
    watch = LockWatch(context.database, obstacle)
    timeout_seconds = context.settings.heartbeat_timeout_seconds
    explained = partial(with_cause, context.settings)
    with names, Heartbeat(context.database, lease, timeout_seconds, watch.obstacle, explained):
        try:
            with watch.naming(), context.database.hurried_when_interrupted():
                yield
        except LeaseError as error:  # the ledger row belongs to another attempt
            log.warning("lease_lost", error=error.message)
            raise
        except BaseException as error:
            _record(context, lease, error)
            raise


def _record(context: SyncContext, lease: Lease, error: BaseException) -> None:
    if isinstance(error, DatabaseUnavailable):
        error = with_cause(context.settings, error)
    status, error_class, message, remedy = _described(context, lease, error)
    try:
        if not ledger.end(context.database, lease, status, error_class=error_class, message=message, remedy=remedy):
            return  # another process has ended it and recorded why
    except PipelineError as unreachable:
        # do not hide the original error; the lease is taken over once its run has ended or its heartbeat has timed out
        log.warning("end_not_recorded", error=unreachable.message)
        remedy = error.remedy if isinstance(error, DatabaseUnavailable) else remedy
    (log.warning if error_class == EndFromOutside.INTERRUPTED else log.error)(
        "sync_ended", status=status, error_class=error_class, message=message, remedy=remedy
    )


def _described(context: SyncContext, lease: Lease, error: BaseException) -> tuple[SyncStatus, str, str, str]:
    if isinstance(error, DatabaseUnavailable) and error.is_away:
        left = None if error.is_late else _read(context, lease)  # do not ask an unresponsive server again
        begins = wording.goes_on(None) if left is None else left[1]
        log_file = log_of(context.settings)
        why = f"; {log_file} shows why it was unreachable" if log_file else ""
        # the remedy is stored in the database, so by the time it is read the database is reachable again
        remedy = f"No action needed: it is reachable again, and the next attempt {begins}{why}"
        return SyncStatus.FAILED, error.error_class, error.cause, remedy
    if isinstance(error, PipelineError):
        status = SyncStatus.TIMEOUT if isinstance(error, SyncTimedOut) else SyncStatus.FAILED
        return status, error.error_class, error.cause, error.remedy
    if isinstance(error, Exception):
        said = redact(gist(f"{type(error).__name__}: {error}"), context.settings.secrets)
        return (
            SyncStatus.FAILED,
            type(error).__name__,
            said,
            "This is a bug in the pipeline: report it with this line",
        )
    is_late, goes_on = _left(context, lease)
    status = SyncStatus.TIMEOUT if is_late else SyncStatus.CANCELLED
    why = "its time limit is over" if is_late else process_end.words()
    remedy = f"No action needed: the next run {goes_on}"
    return status, EndFromOutside.INTERRUPTED, f"{lease.where}: interrupted: {why}", remedy


def _left(context: SyncContext, lease: Lease) -> tuple[bool, str]:
    """Whether the sync's deadline has passed, and where the next run begins."""
    return _read(context, lease) or (False, wording.goes_on(None))


def _read(context: SyncContext, lease: Lease) -> tuple[bool, str] | None:
    """The same as `_left`; None if the ledger cannot be read."""
    try:
        with context.database.transaction() as tx:
            sync = ledger.read_in(tx, lease.sync_id)
            left = ledger.pages_left(tx, lease.sync_id, lease.account)
    except PipelineError:
        return None
    is_late = datetime.now(UTC) >= sync.deadline_at
    return is_late, "begins a new sync" if is_late else wording.goes_on(left)
