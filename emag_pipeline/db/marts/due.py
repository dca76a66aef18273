"""Which marts of which accounts do not show what is published: what the sensor `stale_marts` goes by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from emag_pipeline.db.engine import Database
from emag_pipeline.db.marts.marts import DAILY_ASSORTMENT, OF_NEWEST_PUBLISH
from emag_pipeline.db.sql import statements

#: How many past days are looked through, and how many are named at once.
MOST_DAYS = 35
MOST_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Due:
    """What an account's marts lack. `sync_id` is its newest publish, of the day `published_on` (UTC).

    `past_days` are days that are over and whose row is missing or older than the day's end, the newest first.
    """

    account: str
    sync_id: UUID
    published_on: date
    marts_are_older: bool
    assortment_is_older: bool
    past_days: Sequence[date]


def due(database: Database, accounts: Sequence[str]) -> list[Due]:
    """How the marts of each published account stand, in the order asked for."""
    with database.transaction(timeout_seconds=30) as tx:
        rows = tx.run(
            statements("marts/due.sql")["due"],
            accounts=list(accounts),
            marts=[mart.name for mart in OF_NEWEST_PUBLISH],
            assortment=DAILY_ASSORTMENT.name,
            most_days=MOST_DAYS,
            most_at_once=MOST_AT_ONCE,
        )
        return [Due(**row._mapping) for row in rows]
