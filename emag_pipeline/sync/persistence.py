"""Short database work that is tried again by itself: it left nothing behind when it failed."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.logs import logger

T = TypeVar("T")

log = logger(__name__)


def until_done(work: Callable[[], T]) -> T:
    """Do the work, up to four times while the database is away or picks it as a deadlock's victim."""
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
