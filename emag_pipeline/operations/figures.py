"""Figures and texts of an offer, for people."""

from decimal import Decimal

_STATUS = {0: "inactive", 1: "active", 2: "end of life"}


def status_words(status: int | None) -> str:
    """The seller's status in words; the bare number of one that is not documented."""
    return "unknown" if status is None else _STATUS.get(status, str(status))


def money(amount: Decimal | None) -> str:
    """An amount with two places at least and no zeros behind them: `10.50`, `10.4995`; empty when there is none."""
    if amount is None:
        return ""
    text = f"{amount:,.4f}"
    return text[:-2] if text.endswith("00") else text.rstrip("0")


def one_line(text: str) -> str:
    """A text of the marketplace's in one line, without signs that a terminal would obey."""
    return "".join([sign if sign.isprintable() else "�" for sign in " ".join(text.split())])
