"""Surprises in answers, as reading them would record them."""

from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.syncs import execute


def surprise(
    database: Database,
    field: str = "sale_price",
    kind: str = "unexpected type",
    *,
    account: str = "main",
    times: int = 12,
    seen: str = "now",
) -> None:
    """Record one; `seen` is when it was last met, e.g. `2 hours ago`."""
    execute(
        database,
        """INSERT INTO emag_answer_surprises (account_type, resource, field, kind, last_seen_at, times, sample)
           VALUES (:account, 'product_offer/read', :field, :kind, CAST(:seen AS timestamptz), :times, '[1]')""",
        account=account,
        field=field,
        kind=kind,
        times=times,
        seen=seen,
    )
