"""Client for the marketplace's API: reads offers and reference data, normalised and within the rate budget.

Other slices import from this package only.

with closing(MarketplaceClient(account, budget, record=records.append)) as marketplace:
    offers = marketplace.count().rows
    page = marketplace.read_page(1)
"""

from emag_pipeline.marketplace.calls import RawAnswer, RawCalls
from emag_pipeline.marketplace.client import MarketplaceClient, Obedience, ReferenceData
from emag_pipeline.marketplace.normalise import normalise
from emag_pipeline.marketplace.pacing import ProcessBudget, RateBudget
from emag_pipeline.marketplace.pages import Count, ignored, set_aside, unreadable_page
from emag_pipeline.marketplace.reference_rows import Category, HandlingTime, Rows, VatRate
from emag_pipeline.marketplace.responses import ResponseHeaders
from emag_pipeline.marketplace.transport import Timeouts

__all__ = [
    "Category",
    "Count",
    "HandlingTime",
    "MarketplaceClient",
    "Obedience",
    "ProcessBudget",
    "RateBudget",
    "RawAnswer",
    "RawCalls",
    "ReferenceData",
    "ResponseHeaders",
    "Rows",
    "Timeouts",
    "VatRate",
    "ignored",
    "normalise",
    "set_aside",
    "unreadable_page",
]
