"""Who has the buy button, against a day before, and by how much it is missed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from emag_pipeline.sandbox.reference import VAT_RATES
from emag_pipeline_tests.month.judge.numbers import rounded
from emag_pipeline_tests.month.past import Past, State

_RATES = {rate["vat_id"]: Decimal(str(rate["vat_rate"])) for rate in VAT_RATES}


def expected(past: Past, account: str) -> dict[int, dict[str, Any]]:
    """The rows of emag_buy_button of an account, by offer: those that have a rank."""
    newest = past.newest(account)
    day_before = past.as_of(account, newest.at - timedelta(hours=24))
    return {
        offer_id: _row(state, day_before.get(offer_id, {}).get("buy_button_rank"))
        for offer_id, state in newest.offers.items()
        if state["buy_button_rank"] is not None
    }


def _row(state: State, before: int | None) -> dict[str, Any]:
    rank, own, best = state["buy_button_rank"], state["sale_price"], state["best_offer_sale_price"]
    gap = None if own is None or best is None else own - best
    rate = _RATES.get(state["vat_id"])
    return {
        "buy_button_rank": rank,
        "has_buy_button": rank == 1,
        "rank_a_day_ago": before,
        "change": _change(rank, before),
        "number_of_offers": state["number_of_offers"],
        "sale_price": own,
        "best_offer_sale_price": best,
        "currency": state["currency"],
        "is_saleable": state["is_saleable"],
        "gap": gap,
        "gap_percent": rounded(100 * gap / best, 4) if gap is not None and best else None,
        "vat_rate": rate,
        "gap_with_vat": _taxed(gap, rate),
        "sale_price_with_vat": _taxed(own, rate),
        "best_price_with_vat": _taxed(best, rate),
    }


def _change(rank: int, before: int | None) -> str:
    if before is None:
        return "new"
    return {(True, True): "kept", (True, False): "won", (False, True): "lost"}.get((rank == 1, before == 1), "missed")


def _taxed(amount: Decimal | None, rate: Decimal | None) -> Decimal | None:
    return None if amount is None or rate is None else rounded(amount * (1 + rate), 4)
