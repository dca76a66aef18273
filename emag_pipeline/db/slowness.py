"""What makes an account's syncs slower than the settings say: smaller pages, and a pace with more air after a 429."""

from dataclasses import dataclass
from datetime import datetime

from emag_pipeline.db.budget import DatabaseBudget
from emag_pipeline.db.engine import Database
from emag_pipeline.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Slowness:
    """`page_size` is the one that works where larger ones failed, since then; None where none smaller is needed.

    `air` is by how much the pace is slower, 1 where it is not; `slowed_at` when a 429 has last made it so.
    """

    page_size: int | None = None
    page_size_since: datetime | None = None
    air: float = 1.0
    slowed_at: datetime | None = None


def slowness(database: Database, account: str, login: str, most: int) -> Slowness:
    """How it stands; `most` is EMAG_API_PAGE_SIZE. Whoever reads without the right to see the pace sees the pages."""
    with database.transaction(timeout_seconds=30) as tx:
        kept = tx.run(
            """SELECT page_size, page_size_at FROM emag_accounts
               WHERE account_type = :account AND page_size < :most""",
            account=account,
            most=most,
        ).one_or_none()
    size, since = (None, None) if kept is None else (kept.page_size, kept.page_size_at)
    try:
        air, slowed_at = DatabaseBudget.air(database, login)
    except PermanentError:
        air, slowed_at = 1.0, None
    return Slowness(size, since, air, slowed_at if air > 1 else None)
