"""What the sandbox truly holds, as rows of our tables, worked out independently of the pipeline's normalising."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from emag_pipeline.db.engine import Database
from emag_pipeline.sandbox.face import SandboxFace

#: column → field of the marketplace, where both hold the same plain value
_PLAIN = {
    name: name
    for name in (
        "part_number_key", "part_number", "status", "buy_button_rank", "number_of_offers", "currency",
        "general_stock", "estimated_stock", "warranty", "vat_id", "name", "brand", "description", "url",
        "safety_information", "category_id", "vendor_category_id", "ownership", "genius_eligibility",
        "genius_eligibility_type", "genius_computed", "ean", "images", "characteristics", "handling_time",
    )
} | {"has_manufacturer": "manufacturer", "has_eu_representative": "eu_representative"}  # fmt: skip
_PRICES = ("sale_price", "recommended_price", "best_offer_sale_price", "best_offer_recommended_price")

_PUBLISHED = """
    SELECT o.*, p.name, p.brand, p.description, p.url, p.safety_information, p.family_id, p.family_name, p.category_id,
           p.vendor_category_id, p.ownership, p.genius_eligibility, p.genius_eligibility_type, p.genius_computed,
           p.ean, p.images, p.characteristics, p.validation_details, p.doc_errors, p.has_manufacturer,
           p.has_eu_representative
    FROM {schema}.emag_product_offers o JOIN {schema}.emag_products p USING (account_type, emag_offer_id)
    WHERE o.account_type = :account AND o.deleted_at IS NULL ORDER BY o.emag_offer_id
"""


def expected(offer: dict[str, Any], saleable: bool) -> dict[str, Any]:
    """One offer of the sandbox as it must stand in the database."""
    family = offer["family"] or {}
    codes = {
        name: [one["value"] for one in offer[name]] for name in ("validation_status", "translation_validation_status")
    }
    (price_status,) = offer["offer_validation_status"]
    return {
        "emag_offer_id": offer["id"],
        **{column: offer[field] for column, field in _PLAIN.items()},
        **{name: None if offer[name] is None else Decimal(str(offer[name])) for name in _PRICES},
        **codes,
        "offer_validation_status": price_status["value"],
        "family_id": family.get("id"),
        "family_name": family.get("name"),
        "is_saleable": saleable,
        "doc_errors": offer["doc_errors"],
    }


def published(database: Database, account: str) -> list[dict[str, Any]]:
    """The account's published offers, both halves, by id."""
    with database.transaction() as tx:
        return [dict(row._mapping) for row in tx.run(_PUBLISHED, account=account)]


def assert_published_exactly(database: Database, sandbox: SandboxFace, account: str) -> None:
    """Every offer of the sandbox stands in the database field by field, and no other."""
    saleable = set(sandbox.saleable_ids(account))
    truth = _by_id(expected(offer, offer["id"] in saleable) for offer in sandbox.truth(account))
    stored = _by_id(published(database, account))
    assert stored.keys() == truth.keys()
    for offer_id, wanted in truth.items():
        assert {name: stored[offer_id][name] for name in wanted} == wanted


def _by_id(rows: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {row["emag_offer_id"]: row for row in rows}
