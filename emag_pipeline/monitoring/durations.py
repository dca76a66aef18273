"""Durations in words."""

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def age(seconds: float) -> str:
    """A duration in its largest fitting unit: `2 days`, `1 hour`, `5 minutes`, `40 seconds`."""
    for unit, size in _UNITS:
        if seconds >= size:
            return _counted(int(seconds // size), unit)
    return _counted(max(0, int(seconds)), "second")


def _counted(number: int, unit: str) -> str:
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"
