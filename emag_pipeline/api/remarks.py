"""What an answer's headers tell beside its content: how much of the rate limit is left, and the other side's clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class Remarks:
    """None where the answer is silent. The limit's window is not documented well: take it as a hint.

    Source: docs/marketplace-api.md, "Rate limits".
    """

    limit: int | None
    remaining: int | None
    #: when the answer was made, by the other side's clock, to the second
    dated: datetime | None


def remarks_in(headers: Mapping[str, str]) -> Remarks:
    """Read them from an answer's headers, which are taken as they come: nonsense counts as silence."""
    return Remarks(
        limit=_whole(headers.get("X-RateLimit-Limit-3second", "")),
        remaining=_whole(headers.get("X-RateLimit-Remaining-3second", "")),
        dated=_date(headers.get("Date", "")),
    )


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _date(text: str) -> datetime | None:
    try:
        dated = parsedate_to_datetime(text)
    except ValueError:
        return None
    return dated if dated.tzinfo else dated.replace(tzinfo=UTC)
