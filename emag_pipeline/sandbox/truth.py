"""The true state of a catalogue, without quirks and faults: the result that a correct reader must reach."""

from collections.abc import Mapping
from typing import Any

from emag_pipeline.sandbox.catalogue.catalogue import Catalogue
from emag_pipeline.sandbox.catalogue.shapes import Shapes
from emag_pipeline.sandbox.catalogue.validation import is_saleable
from emag_pipeline.sandbox.like.likeness import LikeShapes


def truth_of(catalogue: Catalogue, shapes: Shapes | LikeShapes, wish: Mapping[str, Any]) -> dict[str, Any]:
    """The counts, and on request a page of offers, some offers (`id`, a list), or all ids, as of one moment.

    Numbers are JSON numbers (prices exact to four decimals), absent values null, lists are lists. Edited values are
    returned as they were edited, even if they are unreadable. Raises ValueError if page or items_per_page is below 1,
    or if both a page and ids are requested.
    """
    size = int(wish.get("items_per_page", 100))
    page = int(wish.get("page") or 1)
    if size < 1 or page < 1:
        raise ValueError("page and items_per_page must be numbers from 1.")
    if wish.get("page") is not None and wish.get("id") is not None:
        raise ValueError("Request a page or ids, not both.")
    with catalogue.lock:
        answer = {
            "account": catalogue.account,
            "count": catalogue.count(),
            "shown": len(catalogue),
            "pages": -(-len(catalogue) // size),
            "day": catalogue.day,
        }
        if wish.get("page") is not None:
            answer |= _offers(catalogue, shapes, catalogue.ids((page - 1) * size, page * size))
        if wish.get("id") is not None:
            answer |= _offers(catalogue, shapes, wish["id"])
        if wish.get("ids"):
            answer |= {"ids": catalogue.ids(), "hidden": catalogue.hidden_ids()}
        return answer


def _offers(catalogue: Catalogue, shapes: Shapes | LikeShapes, offer_ids: list[int]) -> dict[str, Any]:
    found = [(offer_id, catalogue.offer(offer_id)) for offer_id in offer_ids]
    offers = [shapes.true(offer, catalogue.edits(offer_id)) for offer_id, offer in found if offer is not None]
    return {"offers": offers, "saleable": [offer["id"] for offer in offers if is_saleable(offer)]}
