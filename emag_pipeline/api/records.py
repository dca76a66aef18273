"""What is kept of every call (the vendor asks for 30 days: docs/marketplace-api.md, "Calls and responses")."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One HTTP attempt, retries too. `outcome` is 'ok' or 'error'; a body only of failures, redacted."""

    sent_at: datetime
    account_type: str
    resource: str
    page: int | None
    page_size: int | None
    offer_id: int | None
    status: int | None
    outcome: str
    seconds: float
    bytes: int
    error_class: str | None
    error_body: str | None
