"""Existing offers whose category or VAT rate the marketplace's reference data does not hold: kept, and reported."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emag_pipeline.db.engine import Database
from emag_pipeline.db.reference import CATEGORIES, VAT_RATES, Resource
from emag_pipeline.db.sql import statements

SAMPLE = 20
_TIMEOUT_SECONDS = 300.0

_NARROW = "emag_product_offers"
_WITH_CONTENT = f"({_NARROW} JOIN emag_products USING (account_type, emag_offer_id))"


@dataclass(frozen=True, slots=True)
class Unknown:
    """How many offers of a marketplace have an id that is not known, how many such ids, and the first of the offers.

    `no_longer_listed` are those of the offers whose id was known once: its name or rate is kept. `without_id` are
    offers that name no id at all: a draft may have none, and nothing is unknown of them.
    """

    offers: int
    ids: int
    no_longer_listed: int
    without_id: int
    sample: Sequence[dict[str, Any]]


def unknown_categories(database: Database, marketplace: str) -> Unknown:
    """Offers in categories that emag_categories does not hold as active."""
    return _unknown(database, CATEGORIES, marketplace, _WITH_CONTENT)


def unknown_vat_rates(database: Database, marketplace: str) -> Unknown:
    """Offers with VAT ids that emag_vat_rates does not hold, or no longer."""
    return _unknown(database, VAT_RATES, marketplace, _NARROW)


def _unknown(database: Database, resource: Resource, marketplace: str, offers: str) -> Unknown:
    """`offers` is where the id stands."""
    named = {
        name: sql.replace("{table}", resource.table).replace("{key}", resource.key).replace("{offers}", offers)
        for name, sql in statements("reference_checks.sql").items()
    }
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        counted = tx.run(named["count_unknown"], marketplace=marketplace).one()
        found = tx.run(named["sample_unknown"], marketplace=marketplace, most=SAMPLE).all() if counted.offers else ()
        return Unknown(**counted._mapping, sample=[dict(row._mapping) for row in found])
