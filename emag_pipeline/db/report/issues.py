"""Why offers of an account cannot be bought, from emag_offer_issues: how many for each reason, and the dearest ones.

Amounts are added up of offers in the account's currency; in a list, those in another one come last, for they cannot be
ranked among the others.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from emag_pipeline.db.engine import Database
from emag_pipeline.db.report.headline import TIMEOUT_SECONDS


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
