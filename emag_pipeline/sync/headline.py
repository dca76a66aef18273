"""The account as last published: the numbers that everybody asks for first."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from emag_pipeline.store.engine import Database

TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Headline:
    """`published_at` and `sync_id` are None before the first publish, `currency` where none is known."""

    account: str
    marketplace: str | None
    #: the account's: what all amounts are added up in (`emag_account_currency`)
    currency: str | None
    sync_id: UUID | None
    published_at: datetime | None
    #: the account's first publish: what was so then may have been so before
    known_since: datetime | None
    offers: int
    saleable: int
    #: pieces of all existing offers
    stock: Decimal
    #: pieces at their sale prices, without VAT, of offers in `currency`, and how many pieces these are
    stock_value: Decimal
    stock_valued: Decimal
    stock_in_other_currencies: Decimal
    deleted: int
    #: existing offers whose amounts are in no sum, and their currencies by name
    offers_in_other_currencies: int
    other_currencies: list[str]
    #: existing offers whose newest reading could not be represented
    quarantined: int

    @property
    def stock_without_price(self) -> Decimal:
        """Pieces of offers in `currency` that have no price, and so no value."""
        return self.stock - self.stock_valued - self.stock_in_other_currencies


def headline(database: Database, account: str) -> Headline:
    """The account's numbers, counted from the published offers; zeros for one that was never published."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        row = tx.run(
            """WITH offers AS (
                   SELECT deleted_at, rejected_at, is_saleable, currency,
                          greatest(general_stock, 0)::numeric AS pieces, sale_price
                   FROM emag_product_offers WHERE account_type = :account
               ),
               money AS MATERIALIZED (  -- asked once, not for each row
                   SELECT emag_account_currency(:account) AS currency
               )
               SELECT :account AS account, a.marketplace, money.currency,
                      s.sync_id, s.completed_at AS published_at,
                      emag_known_since(:account) AS known_since, counted.*
               FROM money
               CROSS JOIN LATERAL (
                   SELECT count(*) FILTER (WHERE deleted_at IS NULL) AS offers,
                          count(*) FILTER (WHERE deleted_at IS NULL AND is_saleable) AS saleable,
                          coalesce(sum(pieces) FILTER (WHERE deleted_at IS NULL), 0) AS stock,
                          coalesce(sum(pieces * sale_price) FILTER (
                              WHERE deleted_at IS NULL AND emag_in_currency(currency, money.currency)
                          ), 0) AS stock_value,
                          coalesce(sum(pieces) FILTER (
                              WHERE deleted_at IS NULL AND sale_price IS NOT NULL
                                AND emag_in_currency(currency, money.currency)
                          ), 0) AS stock_valued,
                          coalesce(sum(pieces) FILTER (
                              WHERE deleted_at IS NULL AND NOT emag_in_currency(currency, money.currency)
                          ), 0) AS stock_in_other_currencies,
                          count(*) FILTER (
                              WHERE deleted_at IS NULL AND NOT emag_in_currency(currency, money.currency)
                          ) AS offers_in_other_currencies,
                          coalesce(array_agg(DISTINCT currency ORDER BY currency) FILTER (
                              WHERE deleted_at IS NULL AND NOT emag_in_currency(currency, money.currency)
                          ), '{}') AS other_currencies,
                          count(*) FILTER (WHERE deleted_at IS NOT NULL) AS deleted,
                          count(*) FILTER (WHERE deleted_at IS NULL AND rejected_at IS NOT NULL) AS quarantined
                   FROM offers
               ) counted
               LEFT JOIN emag_accounts a ON a.account_type = :account
               LEFT JOIN LATERAL (
                   SELECT sync_id, completed_at FROM emag_offer_syncs
                   WHERE account_type = :account AND status = 'completed' ORDER BY completed_at DESC LIMIT 1
               ) s ON true""",
            account=account,
        ).one()
    return Headline(**row._mapping)
