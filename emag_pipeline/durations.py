"""Durations in words."""

from emag_pipeline.plurals import counted

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def age(seconds: float) -> str:
    """A duration in its largest fitting unit: `2 days`, `1 hour`, `5 minutes`, `40 seconds`."""
    for unit, size in _UNITS:
        if seconds >= size:
            return counted(int(seconds // size), unit)
    return counted(max(0, int(seconds)), "second")
