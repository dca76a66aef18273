"""The checks on published offers: their names, what they say, how grave a failure is, and what to do then."""

from dataclasses import dataclass

import dagster as dg

_ERROR, _WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN


@dataclass(frozen=True, slots=True)
class OfferCheck:
    """A check on offers: what holds when it passes, how grave a failure is, and what to do then, a sentence each.

    ERROR says that the copy is not to be relied upon; WARN that the copy is right and the catalogue looks wrong.
    """

    name: str
    sentence: str
    severity: dg.AssetCheckSeverity
    remedy: str


PUBLISHED_EQUALS_SCAN = OfferCheck(
    "published_equals_scan",
    "Readers see what the last scan read and nothing else: each offer, its prices, its texts.",
    _ERROR,
    "Find out who but the pipeline writes to these tables; docs/checks.md says how to publish the offers anew",
)
OFFERS_ARE_FRESH = OfferCheck(
    "offers_are_fresh",
    "The offers were read within the last EMAG_SYNC_STALE_AFTER_HOURS hours, or twice the last scan's length.",
    _ERROR,
    "See in `emag-pipeline status` why nothing is published and what mends it; until then the offers are as they were",
)
ANSWERS_ARE_AS_KNOWN = OfferCheck(
    "answers_are_as_known",
    "Since the last completed sync began, the marketplace answered with known fields, types and codes only.",
    _WARN,
    "Report the file that `emag-pipeline probe` writes, so that the pipeline learns it; until then it may be accepted",
)
#: asked within the run that published
OF_A_PUBLISH = (PUBLISHED_EQUALS_SCAN, OFFERS_ARE_FRESH)
#: asked with the marts
OF_OFFERS = (
    OfferCheck(
        "prices_are_plausible",
        "Every offer has a price above 0 and not above its recommended price, "
        "and none moved by more than EMAG_CHECK_PRICE_MOVE at the last publish.",
        _WARN,
        "Compare with what the seller meant, and correct the price at the marketplace, or accept it",
    ),
    OfferCheck(
        "currencies_are_the_marketplaces",
        "Every offer is priced in the marketplace's currency; where that is not known, all are in the same one.",
        _ERROR,
        "Ask the marketplace why it reports these so; sums of marts and report leave out offers in another currency "
        "than most and take those without one to be in it, and sums of your own mix them unless they are by currency",
    ),
    OfferCheck(
        "ean_check_digits_are_right",
        "Every EAN of 8, 12, 13 or 14 digits ends in the check digit that follows from the others.",
        _WARN,
        "Correct the EAN at the marketplace: with a wrong one the offer may be attached to another product",
    ),
    OfferCheck(
        "part_number_keys_are_unique",
        "No two offers of the account are for the same product of the marketplace (part_number_key).",
        _WARN,
        "Keep one of the offers and end the others: they compete with each other",
    ),
    OfferCheck(
        "best_prices_are_consistent",
        "No offer that can be bought is cheaper than the best offer, and one with the buy button has the best price.",
        _WARN,
        "Look at the product's page: the marketplace's documents do not promise this, so it may be right so",
    ),
    ANSWERS_ARE_AS_KNOWN,
)
