"""Whole syncs as a Dagster run does them, step by step."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.audit import Audit, audit_scan
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.publish import SyncSummary, publish_scan
from emag_pipeline.sync.scan import stage_account

#: Makes contexts of new runs for an account; keywords are environment variables.
Contexts = Callable[..., SyncContext]

_FAST = {"EMAG_API_REQUESTS_PER_SECOND": "1000", "EMAG_API_REQUESTS_PER_MINUTE": "60000"}


def context_for(
    database: Database, url: str, account: str = "main", *, run_ended: bool = False, **environ: str
) -> SyncContext:
    """The context of a new run for an account of the sandbox at `url`; keywords are environment variables."""
    prefix = f"EMAG_{account.upper()}_API"
    credentials = {f"{prefix}_USERNAME": f"{account}@sandbox.example", f"{prefix}_PASSWORD": "sandbox"}
    settings = load_settings({**_FAST, **credentials, "EMAG_API_BASE_URL": url, **environ}, env_file=None)
    return SyncContext(
        settings=settings,
        database=database,
        account=settings.account(account),
        run_id=str(uuid4()),
        run_has_ended=lambda _: run_ended,
        report=lambda _: None,
    )


def refresh(context: SyncContext) -> SyncSummary:
    """Stage, audit, publish."""
    stage_account(context)
    assert audit_scan(context).accepted
    return publish_scan(context)


def refused(context: SyncContext) -> Audit:
    """Stage and audit a scan that is refused."""
    stage_account(context)
    audit = audit_scan(context)
    assert not audit.accepted
    return audit


def ledger_row(context: SyncContext) -> Any:
    """The newest sync of the context's account."""
    with context.database.transaction() as tx:
        return tx.run(
            """SELECT * FROM emag_offer_syncs WHERE account_type = :account
               ORDER BY started_at DESC LIMIT 1""",
            account=context.account.name,
        ).one()
