"""The true state of a catalogue, untouched by quirks and faults: what a correct reader must arrive at."""

from collections.abc import Mapping
from typing import Any

from emag_pipeline.sandbox.catalogue.catalogue import Catalogue
from emag_pipeline.sandbox.catalogue.validation import is_saleable


def told(catalogue: Catalogue, wish: Mapping[str, Any]) -> dict[str, Any]:
    """What was wished for of one moment: a page of offers, one offer, or all ids; always the counts.

    Raises ValueError when page or items_per_page is below 1.

    Numbers are JSON numbers (prices exact to four decimals), absent values null, lists are lists.
    """
    size = int(wish.get("items_per_page", 100))
    page = int(wish.get("page") or 1)
    if size < 1 or page < 1:
        raise ValueError("page and items_per_page are numbers from 1.")
    with catalogue.lock:
        told = {
            "account": catalogue.account,
            "count": catalogue.count(),
            "shown": len(catalogue),
            "pages": -(-len(catalogue) // size),
            "day": catalogue.day,
        }
        if wish.get("page") is not None:
            told |= _offers(catalogue.offers((page - 1) * size, page * size))
        if wish.get("id") is not None:
            found = catalogue.offer(int(wish["id"]))
            told |= _offers([] if found is None else [found])
        if wish.get("ids"):
            told |= {"ids": catalogue.ids(), "hidden": catalogue.hidden_ids()}
        return told


def _offers(offers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"offers": offers, "saleable": [offer["id"] for offer in offers if is_saleable(offer)]}
