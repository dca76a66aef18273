"""The audit: may this scan be published? Four verdicts on what is staged, counted anew from there."""

from collections.abc import Sequence
from dataclasses import dataclass

from emag_pipeline.db import audit, ledger, quarantine
from emag_pipeline.db.audit import Figures
from emag_pipeline.db.ledger import Lease
from emag_pipeline.errors import LeaseLost, RefusedError
from emag_pipeline.logs import logger
from emag_pipeline.sync.attempt import attempt
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.persistence import until_done
from emag_pipeline.sync.verdicts import REJECTS, Verdict, count_agrees, judge

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Audit:
    """All verdicts on one scan. `accepted` scans may be published."""

    lease: Lease
    verdicts: Sequence[Verdict]
    #: on what is worth knowing and keeps nothing back
    remarks: Sequence[Verdict] = ()

    @property
    def accepted(self) -> bool:
        """Every verdict is good, or the bad ones have been approved by a person."""
        return all(verdict.passed for verdict in self.verdicts)

    def refusal(self) -> RefusedError:
        """What the ledger and the operator are told of a refused scan."""
        return RefusedError(
            "the audit refuses the scan, nothing was published",
            where=self.lease.where,
            why="; ".join(verdict.sentence for verdict in self._failed),
            remedy=self.remedy,
        )

    @property
    def _failed(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if not verdict.passed]

    @property
    def remedy(self) -> str:
        """What a person can do about a refused scan."""
        if not all(verdict.can_be_approved for verdict in self._failed):
            return "Start a new run: it reads the catalogue anew"
        option = " --even-if-empty" if any(verdict.is_about_emptiness for verdict in self._failed) else ""
        approve = f"run `emag-pipeline approve {self.lease.sync_id}{option}`; it publishes the staged scan"
        if any(verdict.name == REJECTS for verdict in self._failed):
            return (
                f"See the rows with `emag-pipeline rejects --account {self.lease.account}`; if this is right, {approve}"
            )
        return f"If this is right, {approve}"


def audit_scan(context: SyncContext) -> Audit:
    """Judge the scan that this Dagster run staged, and write the verdict into the ledger.

    An accepted scan may be published by the same run. A refused one stays staged, and the sync ends as failed.
    Raises LeaseLost when the run holds no scan.
    """
    lease = ledger.held_by(context.database, context.account.name, context.run_id)
    with attempt(context, lease):
        return until_done(lambda: _audit_or_found(context, lease))


def _audit_or_found(context: SyncContext, lease: Lease) -> Audit:
    """Judge; where a try before this one has refused, and only the answer to its commit was lost, that refusal."""
    try:
        return _audit(context, lease)
    except LeaseLost:
        if not ledger.was_refused(context.database, lease):
            raise
        log.info("commit_found", what="refusal")
        return _judged(context, lease, audit.figures(context.database, lease.sync_id))


def _judged(context: SyncContext, lease: Lease, figures: Figures) -> Audit:
    reasons = quarantine.commonest(context.database, lease) if figures.not_read else []
    before = audit.left_before(context.database, lease)
    return Audit(
        lease,
        judge(figures, context.settings, reasons, approval=lease.approval),
        remarks=[count_agrees(figures, before)],
    )


def _audit(context: SyncContext, lease: Lease) -> Audit:
    database = context.database
    audit.begin_audit(database, lease)
    figures = audit.figures(database, lease.sync_id)
    result = _judged(context, lease, figures)
    if result.accepted:
        audit.accept(database, lease, figures.as_proof())
        log.info("audit_accepted", offers=figures.rows, quarantined=figures.quarantined, vanished=figures.vanished)
        return result
    audit.refuse(database, lease, figures.as_proof())
    said = result.refusal()
    ledger.end(database, lease, "failed", error_class=said.error_class, message=said.cause, remedy=said.remedy)
    log.error("audit_refused", message=said.message, remedy=said.remedy)
    return result
