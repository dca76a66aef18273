"""The audit: may this scan be published? Four verdicts on what stands in staging, counted anew from there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emag_pipeline.db import audit, ledger
from emag_pipeline.db.audit import Figures
from emag_pipeline.db.ledger import Lease
from emag_pipeline.errors import RefusedError
from emag_pipeline.logs import logger
from emag_pipeline.settings import Settings
from emag_pipeline.sync.attempt import attempt
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.persistence import until_done
from emag_pipeline.sync.proof import doubts, repeats

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check's answer: whether it passed, why in one sentence, and the numbers that it rests on."""

    name: str
    passed: bool
    sentence: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    #: a person may accept it nevertheless (`emag-pipeline approve`)
    can_be_approved: bool = False


@dataclass(frozen=True, slots=True)
class Audit:
    """All verdicts on one scan. `accepted` scans may be published."""

    lease: Lease
    verdicts: Sequence[Verdict]

    @property
    def accepted(self) -> bool:
        """Every verdict is good, or the bad ones have been approved by a person."""
        return all(verdict.passed for verdict in self.verdicts)

    def refusal(self) -> RefusedError:
        """What the ledger and the operator are told of a refused scan."""
        failed = [verdict for verdict in self.verdicts if not verdict.passed]
        approvable = all(verdict.can_be_approved for verdict in failed)
        return RefusedError(
            "the audit refuses the scan, nothing was published",
            where=self.lease.where,
            why="; ".join(verdict.sentence for verdict in failed),
            remedy=f"If this is right, run `emag-pipeline approve {self.lease.sync_id}`; it publishes the staged scan"
            if approvable
            else "Start a new run: it reads the catalogue anew",
        )


def audit_scan(context: SyncContext) -> Audit:
    """Judge the scan that this Dagster run staged, and write the verdict into the ledger.

    An accepted scan may be published by the same run. A refused one stays staged, and the sync ends as failed.
    Raises LeaseLost when the run holds no scan.
    """
    lease = ledger.held_by(context.database, context.account.name, context.run_id)
    with attempt(context, lease):
        return until_done(lambda: _audit(context, lease))


def _audit(context: SyncContext, lease: Lease) -> Audit:
    database = context.database
    audit.begin_audit(database, lease)
    figures = audit.figures(database, lease.sync_id)
    result = Audit(lease, judge(figures, context.settings, approved=lease.approved))
    if result.accepted:
        audit.accept(database, lease, figures.as_proof())
        log.info("audit_accepted", offers=figures.rows, quarantined=figures.quarantined, vanished=figures.vanished)
        return result
    audit.refuse(database, lease, figures.as_proof())
    said = result.refusal()
    ledger.end(database, lease, "failed", error_class=said.error_class, message=said.message, remedy=said.remedy)
    log.error("audit_refused", message=said.message, remedy=said.remedy)
    return result


def judge(figures: Figures, settings: Settings, *, approved: bool = False) -> list[Verdict]:
    """The four verdicts. `approved`: a person has accepted the two that are matters of judgement."""
    return [
        _scan_is_complete(figures),
        _offer_ids_are_unique(figures),
        _rejects_within_tolerance(figures, settings.reject_tolerance, approved),
        _volume_has_not_collapsed(figures, settings.max_shrink, approved),
    ]


def _scan_is_complete(figures: Figures) -> Verdict:
    against = doubts(figures)
    accounted = f"all {figures.count_after:,} offers are accounted for: {figures.distinct_ids:,} staged from pages"
    sentence = f"{accounted}, {figures.rejected:,} quarantined, {figures.found_by_id:,} found by id"
    return Verdict("scan_is_complete", not against, "; ".join(against) or sentence, figures.as_proof())


def _offer_ids_are_unique(figures: Figures) -> Verdict:
    against = repeats(figures)
    return Verdict(
        "offer_ids_are_unique",
        not against,
        "; ".join(against) or f"each of {figures.distinct_ids:,} offers stands in staging once",
        {"rows": figures.rows, "distinct_ids": figures.distinct_ids, "repeated_rows": figures.repeated_rows},
    )


def _rejects_within_tolerance(figures: Figures, tolerance: float, approved: bool) -> Verdict:
    rows = figures.rows + figures.quarantined
    share = figures.quarantined / rows if rows else 0.0
    return Verdict(
        "rejects_within_tolerance",
        approved or share <= tolerance,
        f"{figures.quarantined:,} of {rows:,} rows are in quarantine ({share:.2%}), {tolerance:.2%} are tolerated",
        {"quarantined": figures.quarantined, "rows": rows, "share": share, "tolerance": tolerance},
        can_be_approved=True,
    )


def _volume_has_not_collapsed(figures: Figures, max_shrink: float, approved: bool) -> Verdict:
    before, share = figures.published_before, figures.vanished_share
    return Verdict(
        "volume_has_not_collapsed",
        figures.missing == 0 and (approved or share <= max_shrink),
        f"{figures.vanished:,} of {before:,} published offers have vanished ({share:.2%}), "
        f"{max_shrink:.0%} may vanish without approval",
        {"vanished": figures.vanished, "published_before": before, "share": share, "max_shrink": max_shrink},
        can_be_approved=True,
    )
