"""How long one call may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of one call. `total_seconds` holds from connecting to the last byte, without the wait for a slot.

    Source of the defaults: docs/marketplace-api.md, "Response times": a page of 100 offers took 156 s on an account.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 60.0
    total_seconds: float = 200.0
