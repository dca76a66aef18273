"""Decimal places as PostgreSQL rounds them."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction


def rounded(value: Decimal | Fraction, places: int) -> Decimal:
    """Half away from zero."""
    number = Decimal(value.numerator) / value.denominator if isinstance(value, Fraction) else value
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def share(part: int, whole: int, places: int) -> Decimal | None:
    """The part as a share of the whole; None where there is no whole."""
    return rounded(Fraction(part, whole), places) if whole else None
