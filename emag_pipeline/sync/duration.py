"""How long a sync may take: what the setting says, or twice what its calls need, where that is longer.

A catalogue that takes an hour at the allowed rate is no fault, so a bound on faults follows it.
"""

#: Of what the calls of one reading need: slow answers, smaller pages, a second reading, confirmations.
_ROOM = 2
#: Windows overlap: so many calls for a page's worth of offers (docs/completeness.md).
_CALLS_A_PAGE = 1.25
#: Two counts, a look behind the end, and the head once more.
_AROUND_PAGES = 4


def reading_seconds(offers: int, page_size: int, pace_seconds: float) -> float:
    """What the calls of one reading of a catalogue take at least, in seconds: one every pace."""
    return (-(-offers // page_size) * _CALLS_A_PAGE + _AROUND_PAGES) * pace_seconds


def with_room(needed_seconds: float) -> float:
    """How long what needs so many seconds may take, whatever the setting says."""
    return _ROOM * needed_seconds


def allowed_seconds(timeout_hours: float, needed_seconds: float) -> float:
    """How long a sync may take, in seconds. `timeout_hours`: EMAG_SYNC_TIMEOUT_HOURS; `needed_seconds`: a reading."""
    return max(timeout_hours * 3600, with_room(needed_seconds))
