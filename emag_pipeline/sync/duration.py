"""How long a sync may take: what the setting says, or twice what its calls need, where that is longer.

A catalogue that takes an hour at the allowed rate is no fault, so a bound on faults follows it.
"""

from emag_pipeline.completeness.reads import SMALLEST_OF_CHAIN

#: Of what the calls of a scan need: slow answers, smaller pages, a further reading, confirmations. Where two readings
#: are due it is room for all four that may come.
_ROOM = 2
#: Windows overlap: so many calls for a page's worth of offers (docs/completeness.md). Plain pages do not; among many
#: of them some are read in parts.
_CALLS_A_PAGE = 1.25
#: Two counts, a look behind the end, and the head once more.
_AROUND_PAGES = 4


def readings_due(page_size: int, *, ignores_odd_sizes: bool) -> int:
    """How often a scan reads all pages at least: twice where no chain of overlapping windows can be read."""
    return 2 if page_size < SMALLEST_OF_CHAIN or ignores_odd_sizes else 1


def scan_seconds(offers: int, page_size: int, pace_seconds: float, readings: int) -> float:
    """What the calls of a scan take at least, in seconds: one every pace. `readings`: see `readings_due`."""
    return (-(-offers // page_size) * _CALLS_A_PAGE * readings + _AROUND_PAGES) * pace_seconds


def with_room(needed_seconds: float) -> float:
    """How long what needs so many seconds may take, whatever the setting says."""
    return _ROOM * needed_seconds


def allowed_seconds(timeout_hours: float, needed_seconds: float) -> float:
    """How long a sync may take, in seconds. `timeout_hours`: EMAG_SYNC_TIMEOUT_HOURS; `needed_seconds`: its scan."""
    return max(timeout_hours * 3600, with_room(needed_seconds))
