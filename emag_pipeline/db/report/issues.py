"""Why offers of an account cannot be bought, from emag_offer_issues: how many for each reason, and the dearest ones."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from emag_pipeline.db.engine import Database
from emag_pipeline.db.report.headline import TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class IssueCount:
    """One reason: how many offers have it, what it holds back."""

    code: str
    reason: str
    remedy: str
    offers: int
    stock_held_back: Decimal
    value_held_back: Decimal


@dataclass(frozen=True, slots=True)
class HeldBackOffer:
    """One offer that cannot be bought, with all its reasons and their remedies in the same order."""

    emag_offer_id: int
    name: str | None
    reasons: list[str]
    remedies: list[str]
    #: what the marketplace itself says of it
    said: list[str]
    since: datetime | None
    stock_held_back: int
    value_held_back: Decimal | None


def issue_counts(database: Database, account: str) -> list[IssueCount]:
    """All reasons that occur, the most frequent first."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            """SELECT issue_code AS code, min(reason) AS reason, min(remedy) AS remedy, count(*) AS offers,
                      coalesce(sum(stock_held_back), 0) AS stock_held_back,
                      coalesce(sum(value_held_back), 0) AS value_held_back
               FROM {schema}.emag_offer_issues WHERE account_type = :account
               GROUP BY issue_code ORDER BY count(*) DESC, issue_code""",
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
                          array_remove(array_agg(DISTINCT said), NULL) AS said, min(since) AS since,
                          coalesce(max(stock_held_back), 0) AS stock_held_back,
                          max(value_held_back) AS value_held_back
                   FROM {schema}.emag_offer_issues WHERE account_type = :account
                   GROUP BY account_type, emag_offer_id
                   ORDER BY max(value_held_back) DESC NULLS LAST, 7 DESC, emag_offer_id LIMIT :limit
               ) i
               LEFT JOIN {schema}.emag_products p USING (account_type, emag_offer_id)
               ORDER BY i.value_held_back DESC NULLS LAST, i.stock_held_back DESC, i.emag_offer_id""",
            account=account,
            limit=limit,
        ).mappings()
        return [HeldBackOffer(**{name: row[name] for name in row if name != "account_type"}) for row in rows]


def count_held_back(database: Database, account: str) -> int:
    """How many offers have at least one reason."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        return int(
            tx.run(
                "SELECT count(DISTINCT emag_offer_id) FROM {schema}.emag_offer_issues WHERE account_type = :account",
                account=account,
            ).scalar_one()
        )
