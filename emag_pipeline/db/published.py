"""What readers see of an account, row by row, for comparing it with the marketplace or with an earlier look."""

from dataclasses import dataclass
from decimal import Decimal

from emag_pipeline.db.engine import Database


@dataclass(frozen=True, slots=True)
class PublishedOffer:
    """One published offer. `sale_price` is without VAT; `version` changes with every write to the row."""

    offer_id: int
    sale_price: Decimal | None
    general_stock: int | None
    status: int | None
    is_deleted: bool
    version: str


def published_offers(database: Database, account: str) -> dict[int, PublishedOffer]:
    """All published offers of an account by id, tombstoned ones too."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(
            """SELECT emag_offer_id AS offer_id, sale_price, general_stock, status,
                      deleted_at IS NOT NULL AS is_deleted, xmin::text AS version
               FROM {schema}.emag_product_offers WHERE account_type = :account""",
            account=account,
        ).all()
    return {row.offer_id: PublishedOffer(**row._mapping) for row in rows}
