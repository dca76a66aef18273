"""That a person accepted a scan which the audit refused: who, when, and which sync's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Approval:
    """What `emag-pipeline approve` wrote into the ledger; `at` is UTC."""

    sync_id: UUID
    by: str
    at: datetime

    @property
    def words(self) -> str:
        """E.g. `approved by ana at 2026-03-01 04:00 UTC (sync …)`."""
        return f"approved by {self.by} at {self.at:%Y-%m-%d %H:%M} UTC (sync {self.sync_id})"


def approval_of(row: Any) -> Approval | None:
    """That of a row of the ledger with sync_id, approved_by and approved_at; None where nobody has approved it."""
    if row.approved_at is None:
        return None
    return Approval(row.sync_id, row.approved_by or "somebody", row.approved_at)
