"""When an offer can be bought (docs/marketplace-api.md, "When an offer can be bought")."""

from collections.abc import Sequence
from decimal import Decimal

_SALEABLE = frozenset({3, 9, 11, 12})
_SALEABLE_TRANSLATION = _SALEABLE | {17}


def is_saleable(
    *,
    general_stock: int | None,
    sale_price: Decimal | None,
    status: int | None,
    offer_validation_status: int | None,
    validation_status: Sequence[int],
    translation_validation_status: Sequence[int],
    unreadable: Sequence[str],
) -> bool:
    """True when a customer can buy the offer: in stock, active, with a valid price, product and translation accepted.

    A price of 0 is none, whatever the verdict on it: the marketplace answers 0 where it has none.
    Every validation code must allow it, and there must be one; a product without translation needs none of those.
    While a field that a commercial row rests on is unreadable, nothing is claimed.
    """
    return (
        not unreadable
        and (general_stock or 0) > 0
        and (sale_price or 0) > 0
        and status == 1
        and offer_validation_status == 1
        and bool(validation_status)
        and _SALEABLE.issuperset(validation_status)
        and _SALEABLE_TRANSLATION.issuperset(translation_validation_status)
    )
