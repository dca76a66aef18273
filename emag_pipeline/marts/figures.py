"""Figures of an account from its marts, for the report and the charts: days, issues, buy button, stock.

Sums contain only offers in the account's currency. In lists, offers in another currency come last, because their
amounts cannot be compared.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from emag_pipeline.marts.registry import BUY_BUTTON, DAILY_ASSORTMENT, LOW_STOCK, OFFER_ISSUES, WINDOW_DAYS, Mart
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import filled
from emag_pipeline.sync.published import TIMEOUT_SECONDS

#: Upper bounds of days of cover, and the name of each band below them.
_BANDS = ((1, "under 1 day"), (3, "1 to 3 days"), (7, "3 to 7 days"), (14, "7 to 14 days"), (None, "14 to 30 days"))
_GONE = "sold out already"
#: A seller should act on offers with fewer days of cover.
SOON_DAYS = 7


@dataclass(frozen=True, slots=True)
class Day:
    """The figures at the end of a day, or of the last publish while the day is not over."""

    day: date
    offers: int
    saleable_offers: int
    saleable_share: Decimal | None
    stock: Decimal
    stock_value: Decimal
    median_price: Decimal | None
    currency: str | None
    #: None on the first day, because nothing is known of the day before
    arrivals: int | None
    departures: int
    price_rises: int
    price_cuts: int
    #: None if the ledger no longer had it when the day was computed
    publishes: int | None
    last_published_at: datetime | None
    is_carried_forward: bool | None


@dataclass(frozen=True, slots=True)
class IssueCount:
    """One reason in words: how many offers have it, and the stock that it holds back, in the account's currency."""

    code: str
    reason: str
    remedy: str
    offers: int
    stock_held_back: Decimal
    value_held_back: Decimal
    #: of the sold-out offers with a known pace; None if there are none
    sales_lost_a_day: Decimal | None
    #: offers whose amounts are in neither sum
    offers_in_other_currencies: int


@dataclass(frozen=True, slots=True)
class HeldBackOffer:
    """One offer that cannot be bought: its reasons, their remedies and since when each holds, in the same order."""

    emag_offer_id: int
    name: str | None
    reasons: list[str]
    remedies: list[str]
    sinces: list[datetime | None]
    #: the marketplace's own explanation
    said: list[str]
    stock_held_back: int
    value_held_back: Decimal | None
    #: the currency of its amounts
    currency: str | None


@dataclass(frozen=True, slots=True)
class LostSales:
    """The daily sales of sold-out offers before they sold out, in the account's currency, without VAT.

    Offers in another currency are not included. `offers` are those whose pace is known, `falls` the falls of their
    stocks; `doubtful` of them are based on a single large fall, and make up `doubtful_a_day` of `a_day`.
    """

    offers: int
    falls: int
    a_day: Decimal
    doubtful: int
    doubtful_a_day: Decimal

    @property
    def certain_a_day(self) -> Decimal:
        """The part that is not based on a single large fall."""
        return self.a_day - self.doubtful_a_day


@dataclass(frozen=True, slots=True)
class SoldOutOffer:
    """One sold-out offer, and its daily sales before it sold out, in its `currency`.

    Its pace is derived from this number of `falls` of its stock, the largest one of this many pieces.
    """

    emag_offer_id: int
    name: str | None
    since: datetime | None
    sales_lost_a_day: Decimal
    currency: str | None
    falls: int
    greatest_fall: Decimal
    is_doubtful: bool


@dataclass(frozen=True, slots=True)
class ButtonCounts:
    """Offers by the state of their buy button.

    `held` and `not_held` count saleable offers that others sell too. `won` is compared with 24 hours before the
    publish, and None if nothing is known of that time; `lost` had the button within these hours and no longer have it,
    and is None if there was no earlier publish.
    """

    held: int
    not_held: int
    won: int | None
    lost: int | None


@dataclass(frozen=True, slots=True)
class RankedOffer:
    """One offer with a buy button rank. The gap is above 0 if the best offer is cheaper; prices are without VAT."""

    emag_offer_id: int
    name: str | None
    buy_button_rank: int | None
    rank_a_day_ago: int | None
    number_of_offers: int | None
    sale_price: Decimal | None
    best_offer_sale_price: Decimal | None
    gap: Decimal | None
    gap_percent: Decimal | None
    gap_with_vat: Decimal | None
    #: the currency of the prices
    currency: str | None


@dataclass(frozen=True, slots=True)
class Band:
    """Offers whose stock lasts about equally long; `urgency` is gone, soon (less than a week) or later."""

    words: str
    offers: int
    urgency: str
    #: those that have stock but cannot be bought
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
    #: whether falls of the stock were excluded from the pace as corrections
    has_jumps: bool | None


def days(database: Database, account: str, days: int = 30, until: date | None = None) -> list[Day]:
    """The newest known day of the account (not after `until`) and those before it, `days` at most, the oldest first.

    Some of them may be missing.
    """
    return [Day(**row) for row in _rows(database, DAILY_ASSORTMENT, "days", account, days=days, until=until)]


def newest_day(database: Database, account: str) -> date | None:
    """The newest day of the account that is known."""
    (row,) = _rows(database, DAILY_ASSORTMENT, "newest_day", account)
    newest: date | None = row["max"]
    return newest


def issue_counts(database: Database, account: str) -> list[IssueCount]:
    """All reasons that occur, the most frequent first."""
    return [IssueCount(**row) for row in _rows(database, OFFER_ISSUES, "counts", account)]


def held_back(database: Database, account: str, limit: int = 10) -> list[HeldBackOffer]:
    """The offers that hold back the most stock: by value, then by pieces."""
    return [HeldBackOffer(**row) for row in _rows(database, OFFER_ISSUES, "held_back", account, limit=limit)]


def count_held_back(database: Database, account: str) -> int:
    """How many offers have at least one reason."""
    (row,) = _rows(database, OFFER_ISSUES, "count_held_back", account)
    return int(row["count"])


def lost_sales(database: Database, account: str) -> LostSales:
    """The daily sales of the account's sold-out offers, and the evidence; zeros if no pace is known."""
    (row,) = _rows(database, OFFER_ISSUES, "lost_sales", account, window_days=WINDOW_DAYS)
    return LostSales(**row)


def sold_out(database: Database, account: str, limit: int = 10) -> list[SoldOutOffer]:
    """Sold-out offers whose pace is known, those that lose most sales first; the doubtful ones follow."""
    rows = _rows(database, OFFER_ISSUES, "sold_out", account, window_days=WINDOW_DAYS, limit=limit)
    return [SoldOutOffer(**row) for row in rows]


def button_counts(database: Database, account: str) -> ButtonCounts:
    """How many of the account's offers have the buy button, and what changed within a day."""
    (row,) = _rows(database, BUY_BUTTON, "numbers", account)
    return ButtonCounts(row["contested_held"], row["contested"] - row["contested_held"], row["won"], row["lost"])


def lost_buttons(database: Database, account: str, limit: int = 10) -> list[RankedOffer]:
    """Offers that had the button within the last 24 hours and no longer have it, the most expensive first."""
    return _ranked(database, account, limit, "change = 'lost'", "b.sale_price")


def widest_gaps(database: Database, account: str, limit: int = 10) -> list[RankedOffer]:
    """Offers without the button whose price is above a known best one, the widest gap in money first."""
    return _ranked(database, account, limit, "NOT has_buy_button AND gap > 0 AND best_offer_sale_price > 0", "b.gap")


def cover_bands(database: Database, account: str) -> list[Band]:
    """All bands, the most urgent first; none if no offer's stock is known to run out within 30 days."""
    bounds = [bound for bound, _ in _BANDS if bound is not None]
    rows = _rows(database, LOW_STOCK, "bands", account, bounds=bounds)
    counts = {row["band"]: (row["offers"], row["not_saleable"]) for row in rows}
    if not counts:
        return []
    named = [(-1, _GONE, "gone"), *((place, words, _urgency(bound)) for place, (bound, words) in enumerate(_BANDS))]
    found = ((words, urgency, *counts.get(place, (0, 0))) for place, words, urgency in named)
    return [Band(words, offers, urgency, not_saleable) for words, urgency, offers, not_saleable in found]


def least_cover(database: Database, account: str, limit: int = 10) -> list[LowStock]:
    """The offers with stock that run out first."""
    return [LowStock(**row) for row in _rows(database, LOW_STOCK, "least_cover", account, limit=limit)]


def _urgency(bound: int | None) -> str:
    return "soon" if bound is not None and bound <= SOON_DAYS else "later"


def _ranked(database: Database, account: str, limit: int, condition: str, most: str) -> list[RankedOffer]:
    words = {"condition": condition, "most": most}
    rows = _rows(database, BUY_BUTTON, "ranked", account, words, limit=limit)
    return [RankedOffer(**row) for row in rows]


def _rows(
    database: Database, mart: Mart, name: str, account: str, words: dict[str, str] | None = None, **parameters: Any
) -> list[dict[str, Any]]:
    """The rows of a statement of the mart; words in braces are other statements of its file, or those of `words`."""
    sql = filled(mart.statement(name), {**mart.statements, **(words or {})})
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        return [dict(row._mapping) for row in tx.run(sql, account=account, **parameters)]
