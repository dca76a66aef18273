"""The rate budget that all processes of a login share (emag_rate_budget): one row, one even pace.

It belongs to whom the marketplace sees (`Account.login`), not to a name: two installations on one database may call it
differently.

A slot is reserved in one statement under the row's lock, by the database's clock, so it does not matter on
which machine a process runs, and a killed holder wastes the one slot it had.
"""

from dataclasses import dataclass
from datetime import datetime

from emag_pipeline.errors import PermanentError
from emag_pipeline.rate_limit import LONGEST_PAUSE_SECONDS, pace_seconds
from emag_pipeline.store.engine import Database

#: What a 429 costs: the pace gets this much slower. After so many seconds without another one it gets as much back.
_SLOWER = 1.1
_SLOWEST = 2.0
_BACK_SECONDS = 600

#: A slot may lie so far ahead: one each of some processes, and of killed ones.
_MOST_SLOTS = 20
_LEAST_SLOTS_SECONDS = 60.0

#: What lies further ahead was written before the database's clock was set back, and binds nobody: until when the
#: marketplace is left alone, null for no pause; by how much the pace is slower; whether the slot is such a one.
_PAUSE = f"""
    CASE WHEN b.quiet_until <= clock_timestamp() + interval '{LONGEST_PAUSE_SECONDS:g} seconds'
         THEN b.quiet_until END"""
_AIR = f"""
    CASE WHEN b.slowed_at < now() + interval '1 minute'
         THEN greatest(1, b.air / {_SLOWER} ^ least(100, greatest(
             0, floor(extract(epoch FROM now() - b.slowed_at) / {_BACK_SECONDS}))))::float8 ELSE 1 END"""
_IS_LOST = f"b.next_slot_at > greatest(clock_timestamp(), {_PAUSE}) + :farthest * interval '1 second'"

_RESERVE = f"""
    INSERT INTO emag_rate_budget AS b (login, next_slot_at, minute, slots)
    SELECT :login, clock_timestamp() + :pace * interval '1 second', date_trunc('minute', now()), 1
    ON CONFLICT (login) DO UPDATE SET
        next_slot_at = greatest(
                -- a call may have left just before the clock was set back
                CASE WHEN {_IS_LOST} THEN clock_timestamp() + :pace * interval '1 second' ELSE b.next_slot_at END,
                {_PAUSE}, clock_timestamp())
            + :pace * ({_AIR}) * interval '1 second',
        minute = date_trunc('minute', now()),
        slots = CASE WHEN b.minute = date_trunc('minute', now()) THEN b.slots ELSE 0 END + 1,
        slots_before = CASE b.minute
            WHEN date_trunc('minute', now()) THEN b.slots_before
            WHEN date_trunc('minute', now()) - interval '1 minute' THEN b.slots
            ELSE 0 END
    RETURNING extract(epoch FROM next_slot_at - clock_timestamp()) AS until_next, {_AIR} AS air
"""

_SLOW_DOWN = f"""
    INSERT INTO emag_rate_budget AS b (login, next_slot_at, quiet_until, air, slowed_at)
    VALUES (:login, clock_timestamp(), clock_timestamp() + :wait * interval '1 second', :slower, now())
    ON CONFLICT (login) DO UPDATE SET
        quiet_until = greatest({_PAUSE}, excluded.quiet_until),
        -- the calls that were under way are refused together: for one and the same happening
        air = CASE WHEN b.slowed_at > clock_timestamp() - :sent_ago * interval '1 second'
                        AND b.slowed_at < now() + interval '1 minute'
                   THEN b.air ELSE least(:slowest, :slower * {_AIR}) END,
        slowed_at = now()
"""

_LOST = f"""
    SELECT extract(epoch FROM b.next_slot_at - clock_timestamp()) FROM emag_rate_budget b
    WHERE b.login = :login AND {_IS_LOST}
"""


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
            slot = tx.run(_RESERVE, login=login, pace=self.pace_seconds, farthest=farthest).one()
        return max(0.0, float(slot.until_next) - self.pace_seconds * float(slot.air))

    def is_quiet(self, login: str) -> bool:
        """Whether any process of the login got a 429 whose wait is not over."""
        with self._database.transaction(timeout_seconds=60) as tx:
            quiet = tx.run(
                f"SELECT {_PAUSE} > clock_timestamp() FROM emag_rate_budget b WHERE login = :login",
                login=login,
            ).scalar_one_or_none()
        return bool(quiet)

    @staticmethod
    def air(database: Database, login: str) -> tuple[float, datetime | None]:
        """By how much the login's pace is slower now, 1 where it is not; and when a 429 has last made it so."""
        with database.transaction(timeout_seconds=30) as tx:
            row = tx.run(
                f"SELECT {_AIR} AS air, b.slowed_at FROM emag_rate_budget b WHERE b.login = :login",
                login=login,
            ).one_or_none()
        return (1.0, None) if row is None else (float(row.air), row.slowed_at)

    def lost_seconds(self, login: str) -> float:
        """How far ahead a slot lies that only a clock which was set back explains, else 0. No call waits for it."""
        with self._database.transaction(timeout_seconds=60) as tx:
            found = tx.run(_LOST, login=login, farthest=_farthest(self.pace_seconds)).scalar_one_or_none()
        return float(found or 0.0)

    def slow_down(self, login: str, wait_seconds: float, sent_seconds_ago: float = 0.0) -> None:
        """After a 429: nobody calls with this login for `wait_seconds`, and the pace gets more air for some time.

        Unless it got that for another call since this one was sent: both were refused for the same reason.
        """
        with self._database.transaction(timeout_seconds=60, durable=False) as tx:
            tx.run(
                _SLOW_DOWN,
                login=login,
                wait=wait_seconds,
                sent_ago=sent_seconds_ago,
                slower=_SLOWER,
                slowest=_SLOWEST,
            )


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
        kept = tx.run(
            """SELECT page_size, page_size_at FROM emag_accounts
               WHERE account_type = :account AND page_size < :most""",
            account=account,
            most=most,
        ).one_or_none()
    size, since = (None, None) if kept is None else (kept.page_size, kept.page_size_at)
    try:
        air, slowed_at = DatabaseBudget.air(database, login)
    except PermanentError:
        air, slowed_at = 1.0, None
    return Slowness(size, since, air, slowed_at if air > 1 else None)
