"""The marketplace's API as a client: offers and reference data in, normalised, within the rate budget.

The public face is this page.

with closing(Marketplace(account, budget, record=records.append)) as marketplace:
    offers = marketplace.count().rows
    page = marketplace.read_page(1)
"""

from emag_pipeline.api.marketplace import Marketplace
from emag_pipeline.api.normalise import normalise
from emag_pipeline.api.obedience import Obedience
from emag_pipeline.api.offer import AsPublished, Offer, Page, Published, Reject, Surprise
from emag_pipeline.api.pacing import ProcessBudget, RateBudget
from emag_pipeline.api.pages import Count, ignored, set_aside, unreadable_page
from emag_pipeline.api.raw import RawAnswer, RawCalls
from emag_pipeline.api.records import RequestRecord
from emag_pipeline.api.reference import ReferenceData
from emag_pipeline.api.reference_rows import Category, HandlingTime, Rows, VatRate
from emag_pipeline.api.remarks import Remarks
from emag_pipeline.api.timeouts import Timeouts

__all__ = [
    "AsPublished",
    "Category",
    "Count",
    "HandlingTime",
    "Marketplace",
    "Obedience",
    "Offer",
    "Page",
    "ProcessBudget",
    "Published",
    "RateBudget",
    "RawAnswer",
    "RawCalls",
    "ReferenceData",
    "Reject",
    "Remarks",
    "RequestRecord",
    "Rows",
    "Surprise",
    "Timeouts",
    "VatRate",
    "ignored",
    "normalise",
    "set_aside",
    "unreadable_page",
]
