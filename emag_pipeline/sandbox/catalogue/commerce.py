"""The commercial fields of an offer: prices, stock, status and verdicts, each a function of its number of moves."""

from typing import Any, NamedTuple

from emag_pipeline.sandbox.catalogue import validation
from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.catalogue.goods import Good

_NO_KEY_YET = frozenset({0, 1, 2})
#: verdicts that alone decide the offer's status; a draft has the one that is called "end of life"
_STATUS_OF = {validation.LOST_EAN_CONFLICT: 0, validation.DRAFT: 2}
_PRICE_DESCRIPTIONS = {1: "Valid price", 2: "Invalid price, waiting for a manual check"}


class Moves(NamedTuple):
    """How many times each aspect of an offer has changed since the catalogue was created."""

    price: int = 0
    stock: int = 0
    standing: int = 0
    edition: int = 0


def commerce(key: tuple[object, ...], turn: int, good: Good, moves: Moves) -> dict[str, Any]:
    """The commercial fields of the offer. `turn` spreads the rare verdicts evenly over offers."""
    return _standing(key, turn + 7 * moves.standing, moves) | _trade(key, good, moves)


def _standing(key: tuple[object, ...], turn: int, moves: Moves) -> dict[str, Any]:
    chance, why = Chance(*key, "standing", moves.standing), Chance(*key, "reasons", moves.standing)
    offer_id = int(str(key[-1]))
    code = validation.product_code(chance, turn)
    translation = validation.translation_code(chance, turn)
    price = 2 if chance.happens(15) else 1
    genius = chance.below(4) if chance.happens(700) else 0
    status = 1 if chance.happens(935) else chance.pick((0, 0, 2))
    return {
        "status": _STATUS_OF.get(code, status),
        "validation_status": [validation.verdict(code, offer_id, why)],
        "translation_validation_status": []
        if translation is None
        else [validation.verdict(translation, offer_id, why)],
        "offer_validation_status": [{"value": price, "description": _PRICE_DESCRIPTIONS[price]}],
        "doc_errors": validation.documentation_errors(code, why),
        "genius_eligibility": int(genius > 0),
        "genius_eligibility_type": genius or None,
        "genius_computed": genius if chance.happens(900) else 0,
        "vat_id": chance.pick((1, 1, 1, 1, 1, 2, 3)),
        "currency": "RON",
        "handling_time": [
            {"warehouse_id": number, "value": chance.below(5)} for number in range(1, 2 + chance.happens(150))
        ],
    } | _not_yet(code)


def _not_yet(code: int) -> dict[str, Any]:
    """Blank fields that a product does not have yet: its key until it is accepted, its URL while it is a draft."""
    missing = {"part_number_key": None} if code in _NO_KEY_YET else {}
    return missing | ({"url": None} if code == validation.DRAFT else {})


def _trade(key: tuple[object, ...], good: Good, moves: Moves) -> dict[str, Any]:
    prices = Chance(*key, "price", moves.price)
    stocks = Chance(*key, "stock", moves.stock)
    base = good.lowest_price + Chance(*key, "level").below(good.highest_price - good.lowest_price)
    sale = base * (8_800 + prices.below(2_400)) // 10_000 * 100 + prices.below(100)  # ten-thousandths of a leu
    rivals = prices.pick((0, 0, 0, 1, 1, 2, 3, 5, 8))
    rank = 1 + prices.below(rivals + 1)
    best = sale if rank == 1 else sale * (9_000 + prices.below(990)) // 10_000
    listed = None if prices.happens(150) else _money(sale * 5 // 4)
    stock = _stock(stocks)
    return {
        "sale_price": _money(sale),
        "min_sale_price": _money(base * 60),
        "max_sale_price": _money(base * 180),
        "recommended_price": listed,
        "best_offer_sale_price": _money(best),
        "best_offer_recommended_price": listed and _money(best * 5 // 4),
        "number_of_offers": rivals + 1,
        "buy_button_rank": rank,
        "general_stock": stock,
        "estimated_stock": stock and max(0, stock - stocks.pick((0, 0, 0, 0, 0, 1, 2, 4))),
    }


def _stock(chance: Chance) -> int | None:
    if chance.happens(4):
        return None  # a stock that is not a number occurs too
    if chance.happens(80):
        return 0
    return chance.pick((1 + chance.below(5), 5 + chance.below(60), 20 + chance.below(400)))


def _money(ten_thousandths: int) -> float:
    """A price with four decimals that is also printed with at most four."""
    return ten_thousandths / 10_000
