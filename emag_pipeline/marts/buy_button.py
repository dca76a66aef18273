"""Who has the buy button, from emag_buy_button: how many, what was won and lost, and where the gap is widest."""

from dataclasses import dataclass
from decimal import Decimal

from emag_pipeline.marts.registry import BUY_BUTTON
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.published import TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class ButtonCounts:
    """Offers by what the race says of them.

    `held` and `not_held` are of those that are for sale and that somebody else sells too. `won` is against 24 hours
    before the publish, and None where nothing is known of that moment; `lost` had the button within these hours and
    have it no more, and is None where there was no publish before.
    """

    held: int
    not_held: int
    won: int | None
    lost: int | None


@dataclass(frozen=True, slots=True)
class RankedOffer:
    """One offer in the race. The gap is above 0 where the best offer is cheaper; prices are without VAT."""

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
    #: of the prices
    currency: str | None


#: Ranked first: names are wide, and wanted of a few.
_OFFERS = """
    SELECT b.emag_offer_id, p.name, b.currency, b.buy_button_rank, b.rank_a_day_ago, b.number_of_offers, b.sale_price,
           b.best_offer_sale_price, b.gap, b.gap_percent, b.gap_with_vat
    FROM (
        SELECT b.*, row_number() OVER (
                   -- prices in another currency than the account's cannot be ranked among its own: they come last
                   ORDER BY emag_in_currency(b.currency, account_currency) DESC, {most} DESC NULLS LAST,
                            b.emag_offer_id) AS place
        FROM emag_buy_button b
        -- a sub-select within, and OFFSET 0: asked once, neither for each row nor at each place
        CROSS JOIN (SELECT (SELECT emag_account_currency(:account)) OFFSET 0) money (account_currency)
        WHERE b.account_type = :account AND {condition}
        ORDER BY place LIMIT :limit
    ) b
    LEFT JOIN emag_products p USING (account_type, emag_offer_id)
    ORDER BY b.place
"""


def button_counts(database: Database, account: str) -> ButtonCounts:
    """How the account's offers stand in the race."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        row = tx.run(BUY_BUTTON.statement("numbers"), account=account).one()
    return ButtonCounts(row.contested_held, row.contested - row.contested_held, row.won, row.lost)


def lost(database: Database, account: str, limit: int = 10) -> list[RankedOffer]:
    """Offers that had the button within the last 24 hours and have it no more, the dearest first."""
    return _offers(database, account, limit, "change = 'lost'", "b.sale_price")


def widest_gaps(database: Database, account: str, limit: int = 10) -> list[RankedOffer]:
    """Offers without the button whose price is above a known best one, the widest gap in money first."""
    return _offers(database, account, limit, "NOT has_buy_button AND gap > 0 AND best_offer_sale_price > 0", "b.gap")


def _offers(database: Database, account: str, limit: int, condition: str, most: str) -> list[RankedOffer]:
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        sql = _OFFERS.replace("{condition}", condition).replace("{most}", most)
        rows = tx.run(sql, account=account, limit=limit)
        return [RankedOffer(**row._mapping) for row in rows]
