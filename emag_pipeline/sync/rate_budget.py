"""The rate budget that all processes of a login share (emag_rate_budget): one row, one even pace.

It belongs to the login (`Account.login`), not to the account's name: two installations on one database may use
different names.

A slot is reserved in one statement under the row's lock, by the database's clock, so it does not matter on which
machine a process runs, and a killed process wastes only the one slot it had.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emag_pipeline.errors import PermanentError
from emag_pipeline.settings.accounts import LONGEST_PAUSE_SECONDS, pace_seconds
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction

#: A 429 slows the pace by this factor; it is taken back after this many seconds without another 429.
_SLOWER = 1.1
_SLOWEST = 2.0
_BACK_SECONDS = 600

#: How far ahead a slot may be: one slot for each of several processes, killed ones included.
_MOST_SLOTS = 20
_LEAST_SLOTS_SECONDS = 60.0

_NUMBERS = {
    "longest_pause": LONGEST_PAUSE_SECONDS,
    "slower": _SLOWER,
    "slowest": _SLOWEST,
    "back_after": _BACK_SECONDS,
}


def _run(tx: Transaction, name: str, **values: Any) -> Any:
    return tx.run(statements("sync/rate_budget.sql")[name], **_NUMBERS, **values)


def _farthest(pace_seconds: float) -> float:
    return max(_LEAST_SLOTS_SECONDS, _MOST_SLOTS * pace_seconds)


class DatabaseBudget:
    """Implements the client's RateBudget: the slots of a login, shared by all processes."""

    def __init__(
        self, database: Database, requests_per_second: float, requests_per_minute: float, share: float = 1.0
    ) -> None:
        self._database = database
        self.pace_seconds = pace_seconds(requests_per_second, requests_per_minute, share)

    def reserve(self, login: str) -> float:
        """Take the login's next slot. Returns the seconds until it comes, 0 if it is now."""
        with self._database.transaction(timeout_seconds=60, durable=False) as tx:
            farthest = _farthest(self.pace_seconds)
            slot = _run(tx, "reserve", login=login, pace=self.pace_seconds, farthest=farthest).one()
        return max(0.0, float(slot.until_next) - self.pace_seconds * float(slot.air))

    def is_quiet(self, login: str) -> bool:
        """Whether the wait after a 429 to any process of the login is still running."""
        with self._database.transaction(timeout_seconds=60) as tx:
            quiet = _run(tx, "is_quiet", login=login).scalar_one_or_none()
        return bool(quiet)

    @staticmethod
    def air(database: Database, login: str) -> tuple[float, datetime | None]:
        """The factor by which the login's pace is slowed (1: not at all), and the time of the last 429."""
        with database.transaction(timeout_seconds=30) as tx:
            row = _run(tx, "pace", login=login).one_or_none()
        return (1.0, None) if row is None else (float(row.air), row.slowed_at)

    def lost_seconds(self, login: str) -> float:
        """How far ahead the next slot is if only a clock set back explains it, else 0. No call waits for it."""
        with self._database.transaction(timeout_seconds=60) as tx:
            found = _run(tx, "lost_seconds", login=login, farthest=_farthest(self.pace_seconds)).scalar_one_or_none()
        return float(found or 0.0)

    def slow_down(self, login: str, wait_seconds: float, sent_seconds_ago: float = 0.0) -> None:
        """After a 429: give out no slots for this login for `wait_seconds`, and slow the pace for some time.

        The pace is not slowed again if that happened since this call was sent: both calls had the same cause.
        """
        with self._database.transaction(timeout_seconds=60, durable=False) as tx:
            _run(tx, "slow_down", login=login, wait=wait_seconds, sent_ago=sent_seconds_ago)


# What makes an account's syncs slower than configured: smaller pages, and a slower pace after a 429.


@dataclass(frozen=True, slots=True)
class Slowness:
    """`page_size` is the smaller one that works since larger ones failed; None if the configured one works.

    `air` is the factor by which the pace is slowed (1: not at all); `slowed_at` the time of the last 429.
    """

    page_size: int | None = None
    page_size_since: datetime | None = None
    air: float = 1.0
    slowed_at: datetime | None = None


def slowness(database: Database, account: str, login: str, most: int) -> Slowness:
    """The account's slowness; `most` is EMAG_API_PAGE_SIZE. A reader without access to the pace gets only the pages."""
    with database.transaction(timeout_seconds=30) as tx:
        kept = _run(tx, "smaller_pages", account=account, most=most).one_or_none()
    size, since = (None, None) if kept is None else (kept.page_size, kept.page_size_at)
    try:
        air, slowed_at = DatabaseBudget.air(database, login)
    except PermanentError:
        air, slowed_at = 1.0, None
    return Slowness(size, since, air, slowed_at if air > 1 else None)
