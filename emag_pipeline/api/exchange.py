"""One HTTP attempt: when it was sent, and what came back so far."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(slots=True)
class Exchange:
    """Filled in by the transport while the attempt goes on, so that a failed one still tells how far it came."""

    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_sent: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    seconds: float = 0.0
    ended_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _began: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """The request leaves now; the wait for its slot is no part of its time."""
        self.is_sent = True
        self.sent_at = datetime.now(UTC)
        self._began = time.monotonic()

    def end(self) -> None:
        """The answer is complete, or will never be."""
        self.ended_at = datetime.now(UTC)
        self.seconds = time.monotonic() - self._began
