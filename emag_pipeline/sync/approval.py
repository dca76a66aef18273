"""A person accepts what the audit refused: the next run publishes the very scan that they looked at."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from emag_pipeline.db import ledger
from emag_pipeline.db.approval import Approval
from emag_pipeline.db.audit import Figures
from emag_pipeline.db.engine import Database
from emag_pipeline.errors import RefusedError
from emag_pipeline.settings import Settings
from emag_pipeline.sync.verdicts import judge


def approve(database: Database, settings: Settings, sync_id: UUID, by: str, *, even_if_empty: bool = False) -> str:
    """Record the approval of a refused sync, with who gave it. Returns the account.

    Raises RefusedError when there is nothing that could be approved: not a refused sync, not the account's newest, no
    longer staged, or not complete - completeness is not a matter of judgement. Likewise for a scan without any offer
    to publish, unless `even_if_empty`.
    """
    with database.transaction() as tx:
        sync = ledger.newest_refused(tx, sync_id)
        if sync is None:
            raise RefusedError(
                f"sync {sync_id} cannot be approved",
                why="it is not an account's newest sync, or it was not refused, or its staged pages are gone",
                remedy="Look at `emag-pipeline status` for the sync that waits, or start a new run",
            )
        # what is missing is asked for by its id before the publish
        figures = replace(Figures(**sync.proof), missing=0)
        _require_complete(sync, figures, settings, Approval(sync_id, by, datetime.now(UTC)))
        if figures.is_empty and not even_if_empty:
            raise _would_be_empty(sync, figures)
        ledger.note_approval(tx, sync_id, by)
    return str(sync.account_type)


def _require_complete(sync: Any, figures: Figures, settings: Settings, approval: Approval) -> None:
    failed = [verdict for verdict in judge(figures, settings, approval=approval) if not verdict.passed]
    if failed:
        raise RefusedError(
            "the scan cannot be approved",
            where=f"{sync.account_type}, sync {sync.sync_id}",
            why="; ".join(verdict.sentence for verdict in failed),
            remedy="Start a new run: it reads the catalogue anew",
        )


def _would_be_empty(sync: Any, figures: Figures) -> RefusedError:
    why = "it holds no offer that could be published"
    if figures.published_before and not figures.rejected:
        why = f"it holds no offer, and the account would lose all {figures.published_before:,} published ones"
    return RefusedError(
        "the scan was not approved",
        where=f"{sync.account_type}, sync {sync.sync_id}",
        why=why,
        remedy="Look at the account in the marketplace first; if this is right, run "
        f"`emag-pipeline approve {sync.sync_id} --even-if-empty`",
    )
