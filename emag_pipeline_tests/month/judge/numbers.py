"""Decimal places as PostgreSQL rounds them."""

from decimal import ROUND_HALF_UP, Decimal


def rounded(value: Decimal | int, places: int) -> Decimal:
    """Half away from zero."""
    return Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def share(part: int, whole: int, places: int) -> Decimal | None:
    """The part as a share of the whole; None where there is no whole."""
    return rounded(Decimal(part) / whole, places) if whole else None
