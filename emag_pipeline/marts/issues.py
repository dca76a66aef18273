"""Why offers of an account cannot be bought, from emag_offer_issues: how many for each reason, and the dearest ones.

Amounts are added up of offers in the account's currency; in a list, those in another one come last, for they cannot be
ranked among the others.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from emag_pipeline.marts.registry import WINDOW_DAYS
from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync.published import TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class IssueCount:
    """One reason, in its words: how many offers have it, what it holds back, in the account's currency."""

    code: str
    reason: str
    remedy: str
    offers: int
    stock_held_back: Decimal
    value_held_back: Decimal
    #: of those that are sold out, as far as their pace is known; None where it is of none
    sales_lost_a_day: Decimal | None
    #: offers whose amounts are in neither
    offers_in_other_currencies: int


@dataclass(frozen=True, slots=True)
class HeldBackOffer:
    """One offer that cannot be bought, with all its reasons, their remedies and since when each holds, in one order."""

    emag_offer_id: int
    name: str | None
    reasons: list[str]
    remedies: list[str]
    sinces: list[datetime | None]
    #: what the marketplace itself says of it
    said: list[str]
    stock_held_back: int
    value_held_back: Decimal | None
    #: of its amounts
    currency: str | None


def issue_counts(database: Database, account: str) -> list[IssueCount]:
    """All reasons that occur, the most frequent first."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            """SELECT issue_code AS code, reason, remedy, count(*) AS offers,
                      coalesce(sum(stock_held_back), 0) AS stock_held_back,
                      coalesce(sum(value_held_back) FILTER (WHERE is_counted), 0) AS value_held_back,
                      sum(sales_lost_a_day) FILTER (WHERE is_counted) AS sales_lost_a_day,
                      count(*) FILTER (WHERE NOT is_counted) AS offers_in_other_currencies
               FROM emag_offer_issues
               -- a sub-select within, and OFFSET 0: asked once, neither for each row nor at each place
               CROSS JOIN (SELECT (SELECT emag_account_currency(:account)) OFFSET 0) money (account_currency)
               CROSS JOIN LATERAL (SELECT emag_in_currency(currency, account_currency)) c (is_counted)
               WHERE account_type = :account
               GROUP BY issue_code, reason, remedy ORDER BY count(*) DESC, issue_code, reason""",
            account=account,
        )
        return [IssueCount(**row._mapping) for row in rows]


def held_back(database: Database, account: str, limit: int = 10) -> list[HeldBackOffer]:
    """The offers that hold back most: by value, then by pieces."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            """SELECT i.*, p.name
               FROM (
                   SELECT account_type, emag_offer_id, array_agg(reason ORDER BY issue_code) AS reasons,
                          array_agg(remedy ORDER BY issue_code) AS remedies,
                          array_agg(since ORDER BY issue_code) AS sinces,
                          array_remove(array_agg(DISTINCT said), NULL) AS said,
                          coalesce(max(stock_held_back), 0) AS stock_held_back,
                          max(value_held_back) AS value_held_back, max(currency) AS currency,
                          emag_in_currency(max(currency), max(account_currency)) AS is_ranked
                   FROM emag_offer_issues
                   -- a sub-select within, and OFFSET 0: asked once, neither for each row nor at each place
                   CROSS JOIN (SELECT (SELECT emag_account_currency(:account)) OFFSET 0)
                       money (account_currency)
                   WHERE account_type = :account
                   GROUP BY account_type, emag_offer_id
                   ORDER BY is_ranked DESC, value_held_back DESC NULLS LAST, stock_held_back DESC, emag_offer_id
                   LIMIT :limit
               ) i
               LEFT JOIN emag_products p USING (account_type, emag_offer_id)
               ORDER BY i.is_ranked DESC, i.value_held_back DESC NULLS LAST, i.stock_held_back DESC, i.emag_offer_id""",
            account=account,
            limit=limit,
        ).mappings()
        return [HeldBackOffer(**{name: row[name] for name in HeldBackOffer.__slots__}) for row in rows]


def count_held_back(database: Database, account: str) -> int:
    """How many offers have at least one reason."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        return int(
            tx.run(
                "SELECT count(DISTINCT emag_offer_id) FROM emag_offer_issues WHERE account_type = :account",
                account=account,
            ).scalar_one()
        )


# What sold-out offers sold while they had stock, from emag_offer_issues, and on how much that rests.
#
# The pace is seen from falls of the stock. One of more than 10 pieces that does not fit the others is a correction
# (`emag_sales_pace`); where it is the only one there are no others, so it counts, and is told apart here: as doubtful.


@dataclass(frozen=True, slots=True)
class LostSales:
    """What all of them sold a day, in the account's currency, without VAT; offers in another one are in nothing here.

    `offers` are those whose pace is known, `falls` those of their stocks; of them `doubtful` rest on a single great
    fall, and are `doubtful_a_day` of `a_day`.
    """

    offers: int
    falls: int
    a_day: Decimal
    doubtful: int
    doubtful_a_day: Decimal

    @property
    def certain_a_day(self) -> Decimal:
        """What does not rest on a single great fall."""
        return self.a_day - self.doubtful_a_day


@dataclass(frozen=True, slots=True)
class SoldOutOffer:
    """One offer that is sold out, and what it sold a day while it was not, in its `currency`.

    Its pace was seen from so many `falls` of its stock, the greatest one of so many pieces.
    """

    emag_offer_id: int
    name: str | None
    since: datetime | None
    sales_lost_a_day: Decimal
    currency: str | None
    falls: int
    greatest_fall: Decimal
    is_doubtful: bool


#: The falls within the days that the mart looked at; those that were taken for corrections are among them. A stock
#: before a state counts only when that state reached up to it, as for the pace.
_SOLD_OUT = """
    WITH shown AS (
        SELECT published_at AS until FROM emag_mart_refreshes
        WHERE account_type = :account AND mart = 'offer_issues'
    ), lost AS MATERIALIZED (
        SELECT i.emag_offer_id, i.since, i.sales_lost_a_day, i.currency,
               emag_in_currency(i.currency, account_currency) AS is_counted
        FROM emag_offer_issues i
        -- a sub-select within, and OFFSET 0: asked once, neither for each row nor at each place
        CROSS JOIN (SELECT (SELECT emag_account_currency(:account)) OFFSET 0) money (account_currency)
        WHERE i.account_type = :account AND i.issue_code = 'out_of_stock' AND i.sales_lost_a_day IS NOT NULL
    ), states AS (
        SELECT h.emag_offer_id,
               CASE WHEN lag(h.valid_to) OVER past = h.valid_from THEN lag(there.stock) OVER past END
                   - there.stock AS fell
        FROM emag_offer_history h
        CROSS JOIN LATERAL (
            SELECT CASE WHEN h.general_stock < 0 THEN 0 ELSE h.general_stock::numeric END
        ) there (stock)
        WHERE h.account_type = :account AND h.emag_offer_id = ANY (ARRAY(SELECT emag_offer_id FROM lost))
          AND h.valid_from <= (SELECT until FROM shown)
          AND (h.valid_to IS NULL OR h.valid_to > (SELECT until FROM shown) - :window_days * interval '1 day')
        WINDOW past AS (PARTITION BY h.emag_offer_id ORDER BY h.valid_from)
    ), falling AS (
        SELECT emag_offer_id, count(*) AS falls, max(fell) AS greatest_fall
        FROM states WHERE fell > 0 GROUP BY emag_offer_id
    ), sold_out AS (
        SELECT l.*, coalesce(f.falls, 0) AS falls, coalesce(f.greatest_fall, 0) AS greatest_fall,
               coalesce(f.falls = 1 AND f.greatest_fall > 10, false) AS is_doubtful
        FROM lost l LEFT JOIN falling f USING (emag_offer_id)
    )
"""


def lost_sales(database: Database, account: str) -> LostSales:
    """What the account's sold-out offers sold a day, and on how much that rests; zeros where no pace is known."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        row = _run(
            tx,
            """SELECT count(*) AS offers, coalesce(sum(falls), 0) AS falls, coalesce(sum(sales_lost_a_day), 0) AS a_day,
                      count(*) FILTER (WHERE is_doubtful) AS doubtful,
                      coalesce(sum(sales_lost_a_day) FILTER (WHERE is_doubtful), 0) AS doubtful_a_day
               FROM sold_out WHERE is_counted""",
            account,
        ).one()
    return LostSales(**row._mapping)


def sold_out(database: Database, account: str, limit: int = 10) -> list[SoldOutOffer]:
    """Sold-out offers whose pace is known, those that lose most sales first; the doubtful ones follow."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = _run(
            tx,
            """SELECT s.emag_offer_id, p.name, s.since, s.sales_lost_a_day, s.currency, s.falls, s.greatest_fall,
                      s.is_doubtful
               FROM sold_out s
               LEFT JOIN emag_products p ON p.account_type = :account AND p.emag_offer_id = s.emag_offer_id
               -- amounts in another currency cannot be ranked among the account's own
               ORDER BY s.is_counted DESC, s.is_doubtful, s.sales_lost_a_day DESC, s.emag_offer_id
               LIMIT :limit""",
            account,
            limit=limit,
        ).all()
    return [SoldOutOffer(**row._mapping) for row in rows]


def _run(tx: Transaction, sql: str, account: str, **parameters: Any) -> Any:
    return tx.run(_SOLD_OUT + sql, account=account, window_days=WINDOW_DAYS, **parameters)
