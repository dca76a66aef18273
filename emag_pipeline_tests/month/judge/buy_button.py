"""Who has the buy button, against a day before, and by how much it is missed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from emag_pipeline.sandbox.reference import VAT_RATES
from emag_pipeline_tests.month.judge.numbers import rounded
from emag_pipeline_tests.month.past import Past, State

_RATES = {rate["vat_id"]: Decimal(str(rate["vat_rate"])) for rate in VAT_RATES}


def expected(past: Past, account: str) -> dict[int, dict[str, Any]]:
    """The rows of emag_buy_button of an account, by offer: those that have a rank or have just lost the button."""
    newest = past.newest(account)
    since = newest.at - timedelta(hours=24)
    day_before = past.as_of(account, since)
    within = [day_before, *(publish.offers for publish in past.publishes[account] if publish.at > since)]
    holders = {id_ for offers in within for id_, state in offers.items() if state["buy_button_rank"] == 1}
    return {
        offer_id: _row(state, day_before.get(offer_id, {}).get("buy_button_rank"), offer_id in holders)
        for offer_id, state in newest.offers.items()
        if state["buy_button_rank"] is not None or offer_id in holders
    }


def _row(state: State, before: int | None, had_it: bool) -> dict[str, Any]:
    rank, own, best = state["buy_button_rank"], state["sale_price"], state["best_offer_sale_price"]
    gap = None if own is None or not best else own - best
    rate = _RATES.get(state["vat_id"])
    own_taxed, best_taxed = _taxed(own, rate), _taxed(best, rate)
    return {
        "buy_button_rank": rank,
        "has_buy_button": rank == 1,
        "rank_a_day_ago": before,
        "change": _change(rank, before, had_it),
        "number_of_offers": state["number_of_offers"],
        "sale_price": own,
        "best_offer_sale_price": best,
        "currency": state["currency"],
        "is_saleable": state["is_saleable"],
        "gap": gap,
        "gap_percent": None if gap is None or best is None else rounded(100 * gap / best, 4),
        "vat_rate": rate,
        "gap_with_vat": None if gap is None or own_taxed is None or best_taxed is None else own_taxed - best_taxed,
        "sale_price_with_vat": own_taxed,
        "best_price_with_vat": best_taxed,
    }


def _change(rank: int | None, before: int | None, had_it: bool) -> str:
    if rank == 1:
        return {None: "new", 1: "kept"}.get(before, "won")
    if had_it:
        return "lost"
    return "new" if before is None else "missed"


def _taxed(amount: Decimal | None, rate: Decimal | None) -> Decimal | None:
    return None if amount is None or rate is None else rounded(amount * (1 + rate), 2)
