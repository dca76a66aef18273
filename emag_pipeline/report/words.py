"""Numbers, times and proofs as the report writes them."""

from datetime import datetime
from decimal import Decimal

from emag_pipeline.sync.accounted import Accounted
from emag_pipeline.sync.ledger import Sync, SyncStatus
from emag_pipeline.wording import counted, minute

_LONGEST_NAME = 120
_OUTCOMES = {SyncStatus.COMPLETED: "published", SyncStatus.TIMEOUT: "timed out"}

Number = int | float | Decimal


def number(value: Number | None, digits: int = 0) -> str:
    """With thousands separators; a dash if it is not known."""
    return "–" if value is None else f"{value:,.{digits}f}".replace("-", "−")


def percent(share: Number | None) -> str:
    """A share of 1 in percent."""
    return "–" if share is None else f"{share * 100:.1f} %"


def change(now: Number, before: Number, digits: int = 0) -> str:
    """The difference with its sign."""
    difference = round(Decimal(now) - Decimal(before), digits)
    return "no change" if not difference else ("+" if difference > 0 else "") + number(difference, digits)


def share(part: int, whole: int) -> float | None:
    """The share of the whole; None if the whole is 0."""
    return part / whole if whole else None


def falls(falls: int, offers: int) -> str:
    """The evidence for a pace of sales."""
    return f"{counted(falls, 'fall')} of the stock of {counted(offers, 'offer')}"


def moment(time: datetime | None) -> str:
    """A time to the minute, in UTC."""
    return "–" if time is None else minute(time)


def since(began: datetime, known_since: datetime | None) -> str:
    """Since which day; a state of the account's first publish may have begun earlier."""
    return f"at least since {began.date()}" if _is_first(began, known_since) else f"since {began.date()}"


def begun(began: datetime, known_since: datetime | None) -> str:
    """The same day for a table with the heading `since`."""
    return f"{began.date()}{' or before' if _is_first(began, known_since) else ''}"


def _is_first(began: datetime, known_since: datetime | None) -> bool:
    return known_since is not None and began <= known_since


def name(text: str | None) -> str:
    """A product's name, shortened if it is too long for a table."""
    if not text:
        return "(no name)"
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1].rstrip() + "…"


def outcome(sync: Sync) -> str:
    """How a sync ended, in a word or two."""
    return _OUTCOMES.get(sync.status, sync.status)


def duration(sync: Sync) -> str:
    """From a sync's start to its end."""
    if sync.completed_at is None:
        return "–"
    seconds = (sync.completed_at - sync.started_at).total_seconds()
    minutes, rest = divmod(round(seconds), 60)
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {rest} s"


def proof_in_short(sync: Sync) -> str:
    """How many of the counted offers are accounted for."""
    numbers = sync.proof or {}
    if "distinct_ids" not in numbers:
        return f"{counted(sync.pages_done, 'page was', 'pages were')} read; there is no proof"
    accounted = Accounted.of(numbers)
    again = f", read {numbers['rounds']} times" if numbers.get("rounds", 1) > 1 else ""
    if accounted.difference < 0:
        return f"{counted(accounted.accounted, 'offer')} accounted for, {number(accounted.counts)} counted{again}"
    return f"{number(accounted.accounted)} of {number(accounted.counts)} counted offers accounted for{again}"


def proof(sync: Sync) -> str:
    """Why a scan is complete, or how far it got, in one or two sentences: the count and its parts."""
    numbers = sync.proof or {}
    if "distinct_ids" not in numbers:
        return proof_in_short(sync) + "."
    accounted = Accounted.of(numbers)
    said = [
        f"The marketplace counted {counted(numbers['count_before'], 'offer')} before and {number(accounted.counts)} "
        f"after the scan: {accounted.sum_in_words}"
    ]
    said += [one for one in (accounted.difference_in_words, accounted.besides_in_words) if one]
    for key, words in (
        ("confirmed_gone", ("is confirmed gone", "are confirmed gone")),
        ("missing", ("is not accounted for", "are not accounted for")),
    ):
        if numbers.get(key):
            said.append(counted(numbers[key], *words))
    again = f" All pages were read {numbers['rounds']} times." if numbers.get("rounds", 1) > 1 else ""
    marks = "".join(f" {mark[0].upper()}{mark[1:]}." for mark in numbers.get("marks", ()))
    return "; ".join(said) + "." + again + marks
