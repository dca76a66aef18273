"""Why an offer cannot be bought, in words, and what the seller can do about it.

The codes are those of the SQL function emag_issue_codes. Source: docs/marketplace-api.md, "Validation statuses",
"When an offer can be bought".
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """One reason and its remedy, each one sentence without a full stop."""

    reason: str
    remedy: str


_VALIDATION = {
    0: Issue("is a draft", "Complete the missing data and send it for validation"),
    1: Issue(
        "is being validated by the marketplace", "Wait; ask the marketplace's support if it takes longer than usual"
    ),
    2: Issue(
        "is waiting for its brand to be validated", "Wait, or send the marketplace proof that you may sell the brand"
    ),
    4: Issue("has new documentation that is waiting for validation", "Wait; until then the old content is not shown"),
    5: Issue("was refused for its brand", "Correct the brand, or prove that you may sell it"),
    6: Issue(
        "lost its EAN to another product", "Attach the offer to the product that owns the EAN, or correct the EAN"
    ),
    8: Issue("was refused for its documentation", "Correct what the marketplace names and send it again"),
    10: Issue("is blocked by the marketplace", "Ask the marketplace's support for the reason"),
    13: Issue("is waiting for a saleable offer", "Make the offer saleable: the other reasons say how"),
    14: Issue(
        "failed: the marketplace could not make it", "Send a translation of your own, or ask the marketplace's support"
    ),
    15: Issue("is being made by the marketplace", "Wait; ask the marketplace's support if it takes longer than usual"),
    16: Issue("is pending: the marketplace has not begun it", "Wait, or send a translation of your own"),
}
_TRANSLATION_ONLY = frozenset({13, 14, 15, 16})

ISSUES: dict[str, Issue] = {
    "field_unreadable": Issue(
        "The marketplace returns the price, currency, stock or status in a form that cannot be read",
        "Look at the offer in the marketplace and correct what looks wrong; if nothing does, report the file that"
        " `emag-pipeline probe` writes",
    ),
    "out_of_stock": Issue("There is no stock", "Deliver stock, or correct the stock that is reported"),
    "stock_unknown": Issue(
        "The marketplace reports no total stock",
        "Send the stock again once there is some; if the marketplace shows a stock but still no total, ask its support",
    ),
    "inactive": Issue(
        "The offer is inactive",
        "Activate it (status 1); if it becomes inactive again, the marketplace has switched it off: ask its support",
    ),
    "end_of_life": Issue("The offer is marked as end of life", "Set status 1 if it is still sold"),
    "status_unknown": Issue("The offer has an unknown status", "Set status 1, or ask the marketplace's support"),
    "no_price": Issue("The offer has no price above 0", "Send a price above 0"),
    "price_invalid": Issue(
        "The price is waiting for a manual check", "Correct the price, or ask the marketplace to release it"
    ),
    "price_not_validated": Issue("The price was not validated", "Send the price again"),
    "product_not_validated": Issue("The product has no validation state", "Send the product's documentation"),
    **{
        f"product_{code}": Issue(f"The product {issue.reason}", issue.remedy)
        for code, issue in _VALIDATION.items()
        if code not in _TRANSLATION_ONLY
    },
    **{
        f"translation_{code}": Issue(f"The translation {issue.reason}", issue.remedy)
        for code, issue in _VALIDATION.items()
    },
}


#: For a total stock that is reported but is not a number, and for past states, of which it is not known whether the
#: marketplace reported one: their response is not kept.
_STOCK_REPORTED = Issue(
    "The marketplace reports a total stock that is not a number",
    "Send the stock as a number; what was sent instead is kept in `raw` of emag_products",
)
_STOCK_THEN = Issue("No total stock was known", "Look at the stock in the marketplace")

#: All words by code, and under `stock_unknown:reported` those for a stock that is reported and is not a number.
WORDS = {**ISSUES, "stock_unknown:reported": _STOCK_REPORTED}

#: The text for an undocumented code, with placeholders for its subject and number.
UNDOCUMENTED = Issue(
    "The %s is in the validation state %s, which is not documented", "Ask the marketplace's support what it means"
)


def issue(code: str, *, is_stock_reported: bool | None = False) -> Issue:
    """The words of a code; for an undocumented code, a generic text.

    `is_stock_reported`: the marketplace reports a total stock, in whatever form; None if that is not known.
    """
    if code == "stock_unknown" and is_stock_reported is not False:
        return _STOCK_THEN if is_stock_reported is None else _STOCK_REPORTED
    if code in ISSUES:
        return ISSUES[code]
    subject, _, number = code.partition("_")
    return Issue(UNDOCUMENTED.reason % (subject, number), UNDOCUMENTED.remedy)
