"""Numbers in words, for people."""

from emag_pipeline.db.status import SyncProgress

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def age(seconds: float) -> str:
    """A duration in its largest fitting unit: `2 days`, `1 hour`, `5 minutes`, `40 seconds`."""
    for unit, size in _UNITS:
        if seconds >= size:
            return _counted(int(seconds // size), unit)
    return _counted(max(0, int(seconds)), "second")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def progress_words(sync: SyncProgress) -> str:
    """How far a sync is, e.g. `scanning, 5 of 12 pages, 500 of 1,200 offers`."""
    if sync.pages_expected is None:
        return sync.phase
    offers = f"{sync.offers_done:,} of {sync.offers_expected or 0:,} offers"
    return f"{sync.phase}, {sync.pages_done} of {sync.pages_expected} pages, {offers}"
