"""The rate budget that all processes of a login share (emag_rate_budget): one row, one even pace.

It belongs to whom the marketplace sees (`Account.login`), not to a name: two installations on one database may call it
differently.

A slot is reserved in one statement under the row's lock, by the database's clock, so it does not matter on
which machine a process runs, and a killed holder wastes the one slot it had.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emag_pipeline.errors import PermanentError
from emag_pipeline.settings.accounts import LONGEST_PAUSE_SECONDS, pace_seconds
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction

#: What a 429 costs: the pace gets this much slower. After so many seconds without another one it gets as much back.
_SLOWER = 1.1
_SLOWEST = 2.0
_BACK_SECONDS = 600

#: A slot may lie so far ahead: one each of some processes, and of killed ones.
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
    """Implements the client's RateBudget: the slots of a login, one after the other, for all processes."""

    def __init__(
        self, database: Database, requests_per_second: float, requests_per_minute: float, share: float = 1.0
    ) -> None:
        self._database = database
        self.pace_seconds = pace_seconds(requests_per_second, requests_per_minute, share)

    def reserve(self, login: str) -> float:
        """Take the login's next slot. Returns the seconds from now until it comes, 0 when it is now."""
        with self._database.transaction(timeout_seconds=60, durable=False) as tx:
            farthest = _farthest(self.pace_seconds)
            slot = _run(tx, "reserve", login=login, pace=self.pace_seconds, farthest=farthest).one()
        return max(0.0, float(slot.until_next) - self.pace_seconds * float(slot.air))

    def is_quiet(self, login: str) -> bool:
        """Whether any process of the login got a 429 whose wait is not over."""
        with self._database.transaction(timeout_seconds=60) as tx:
            quiet = _run(tx, "is_quiet", login=login).scalar_one_or_none()
        return bool(quiet)

    @staticmethod
    def air(database: Database, login: str) -> tuple[float, datetime | None]:
        """By how much the login's pace is slower now, 1 where it is not; and when a 429 has last made it so."""
        with database.transaction(timeout_seconds=30) as tx:
            row = _run(tx, "pace", login=login).one_or_none()
        return (1.0, None) if row is None else (float(row.air), row.slowed_at)

    def lost_seconds(self, login: str) -> float:
        """How far ahead a slot lies that only a clock which was set back explains, else 0. No call waits for it."""
        with self._database.transaction(timeout_seconds=60) as tx:
            found = _run(tx, "lost_seconds", login=login, farthest=_farthest(self.pace_seconds)).scalar_one_or_none()
        return float(found or 0.0)

    def slow_down(self, login: str, wait_seconds: float, sent_seconds_ago: float = 0.0) -> None:
        """After a 429: nobody calls with this login for `wait_seconds`, and the pace gets more air for some time.

        Unless it got that for another call since this one was sent: both were refused for the same reason.
        """
        with self._database.transaction(timeout_seconds=60, durable=False) as tx:
            _run(tx, "slow_down", login=login, wait=wait_seconds, sent_ago=sent_seconds_ago)


# What makes an account's syncs slower than the settings say: smaller pages, and a pace with more air after a 429.


@dataclass(frozen=True, slots=True)
class Slowness:
    """`page_size` is the one that works where larger ones failed, since then; None where none smaller is needed.

    `air` is by how much the pace is slower, 1 where it is not; `slowed_at` when a 429 has last made it so.
    """

    page_size: int | None = None
    page_size_since: datetime | None = None
    air: float = 1.0
    slowed_at: datetime | None = None


def slowness(database: Database, account: str, login: str, most: int) -> Slowness:
    """How it stands; `most` is EMAG_API_PAGE_SIZE. Whoever reads without the right to see the pace sees the pages."""
    with database.transaction(timeout_seconds=30) as tx:
        kept = _run(tx, "smaller_pages", account=account, most=most).one_or_none()
    size, since = (None, None) if kept is None else (kept.page_size, kept.page_size_at)
    try:
        air, slowed_at = DatabaseBudget.air(database, login)
    except PermanentError:
        air, slowed_at = 1.0, None
    return Slowness(size, since, air, slowed_at if air > 1 else None)
