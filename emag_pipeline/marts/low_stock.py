"""What is about to run out, from emag_low_stock: offers by days of cover, and those with the least."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from emag_pipeline.store.engine import Database
from emag_pipeline.sync.published import TIMEOUT_SECONDS

#: Days of cover, and what offers below them (and not below the one before) are called.
_BANDS = ((1, "under 1 day"), (3, "1 to 3 days"), (7, "3 to 7 days"), (14, "7 to 14 days"), (None, "14 to 30 days"))
_GONE = "sold out already"
#: Below it a seller should act.
SOON_DAYS = 7


@dataclass(frozen=True, slots=True)
class Band:
    """Offers whose stock lasts about as long; `urgency` is gone, soon (less than a week) or later."""

    words: str
    offers: int
    urgency: str
    #: those of them that have a stock, and cannot be bought all the same
    not_saleable: int


@dataclass(frozen=True, slots=True)
class LowStock:
    """One offer with the pace at which it sells. `sold_out_on` is a day in UTC."""

    emag_offer_id: int
    name: str | None
    general_stock: int
    sold_a_day: Decimal
    days_of_cover: Decimal
    observed_days: Decimal
    sold_out_on: date | None
    is_saleable: bool | None
    #: whether falls of the stock were left out of the pace as corrections
    has_jumps: bool | None


def bands(database: Database, account: str) -> list[Band]:
    """All bands, the most urgent first; none where no offer sells so fast that it lasts 30 days at most."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            """SELECT CASE WHEN general_stock > 0
                           THEN width_bucket(days_of_cover, CAST(:bounds AS numeric[])) ELSE -1 END AS band,
                      count(*) AS offers, count(*) FILTER (WHERE general_stock > 0 AND NOT is_saleable) AS not_saleable
               FROM emag_low_stock WHERE account_type = :account
               GROUP BY 1""",
            account=account,
            bounds=[bound for bound, _ in _BANDS if bound is not None],
        )
        counts = {row.band: (row.offers, row.not_saleable) for row in rows}
    if not counts:
        return []
    named = [(-1, _GONE, "gone"), *((place, words, _urgency(bound)) for place, (bound, words) in enumerate(_BANDS))]
    found = ((words, urgency, *counts.get(place, (0, 0))) for place, words, urgency in named)
    return [Band(words, offers, urgency, not_saleable) for words, urgency, offers, not_saleable in found]


def _urgency(bound: int | None) -> str:
    return "soon" if bound is not None and bound <= SOON_DAYS else "later"


def least_cover(database: Database, account: str, limit: int = 10) -> list[LowStock]:
    """The offers that run out first, of those that have a stock."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            """SELECT l.emag_offer_id, p.name, l.general_stock, l.sold_a_day, l.days_of_cover, l.observed_days,
                      l.sold_out_on, l.is_saleable, l.has_jumps
               FROM emag_low_stock l
               LEFT JOIN emag_products p USING (account_type, emag_offer_id)
               WHERE l.account_type = :account AND l.general_stock > 0
               ORDER BY l.days_of_cover, l.emag_offer_id LIMIT :limit""",
            account=account,
            limit=limit,
        )
        return [LowStock(**row._mapping) for row in rows]
