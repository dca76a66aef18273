"""The audit decides whether a scan may be published: four verdicts on figures counted from staging."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from emag_pipeline.errors import LeaseLost, RefusedError
from emag_pipeline.logs import logger
from emag_pipeline.settings import Settings
from emag_pipeline.sync import figures as audit
from emag_pipeline.sync import ledger, quarantine
from emag_pipeline.sync.attempt import attempt, retry_on_db_error
from emag_pipeline.sync.completeness import COUNT_IS_WRONG, REMAINDER
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.figures import ScanFigures
from emag_pipeline.sync.ledger import Approval, Lease, SyncStatus
from emag_pipeline.sync.quarantine import RejectReason
from emag_pipeline.wording import age, counted

# Is the scan complete? Each objection is one sentence (guarantee G2).
#
# The proof is the verdict of `completeness.ScanDecisions`, recorded by the scan; the staged rows must confirm it.


def doubts(figures: ScanFigures) -> list[str]:
    """The objections to the scan's completeness; empty if it is complete."""
    said = []
    if not figures.proven:
        said.append("the scan has not proven that no offer is left out")
    if figures.unstaged:
        one, more = "offer that pages showed is not staged", "offers that pages showed are not staged"
        said.append(counted(figures.unstaged, one, more))
    if figures.unreadable_by_id > figures.unreadable_positions:
        one, more = "missing offer cannot be read by its id", "missing offers cannot be read by their id"
        positions = counted(figures.unreadable_positions, "position is", "positions are")
        said.append(f"{counted(figures.unreadable_by_id, one, more)}, {positions} unreadable")
    return said


def repeats(figures: ScanFigures) -> list[str]:
    """Offers that are staged more than once, although staging merges windows."""
    one, more = "staged row repeats an offer", "staged rows repeat offers"
    return [counted(figures.repeated_rows, one, more)] * bool(figures.repeated_rows)


# Verdicts on a scan, from its figures: is it complete and plausible, and does the marketplace's count agree?

REJECTS = "rejects_within_tolerance"
#: Difference to the count that movement during the scan may explain: in offers, or as a share of the count.
_FEW, _FEW_SHARE = 3, 0.01
#: A scan without reads for longer than this has paused, e.g. because it was resumed.
_PAUSE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """A check's result: whether it passed, the reason in one sentence, and its numbers."""

    name: str
    passed: bool
    sentence: str
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    #: if it fails, a person may approve it (`emag-pipeline approve`)
    can_be_approved: bool = False
    #: the person must also confirm that no offers remain (`--even-if-empty`)
    is_about_emptiness: bool = False
    #: the approval without which the verdict would fail
    approval: Approval | None = None
    #: number of rows or offers that the verdict objects to; None if it does not count any
    findings: int | None = None


def judge(
    figures: ScanFigures, settings: Settings, reasons: Sequence[RejectReason] = (), *, approval: Approval | None = None
) -> list[AuditVerdict]:
    """The four verdicts. `approval`: a person has accepted the two that can be approved.

    `reasons` are the most frequent reasons for rejects, named in the sentence if there are too many of these.
    """
    return [
        _scan_is_complete(figures),
        _offer_ids_are_unique(figures),
        _rejects_within_tolerance(figures, settings.reject_tolerance, reasons, approval),
        _volume_has_not_collapsed(figures, settings.max_shrink, approval),
    ]


def count_agrees(figures: ScanFigures, before: Mapping[str, Any] = MappingProxyType({})) -> AuditVerdict:
    """Whether the marketplace's count matches the offers it shows, apart from movement. It never blocks a publish.

    A difference is an error of the count if another reading of all pages left the same difference, or if the previous
    sync did (`before` is its proof) and neither scan paused. Any other difference may be movement during the scan.
    """
    counts = (figures.count_before, figures.count_after)
    few = max(_FEW, _FEW_SHARE * max(counts))
    is_near = min(counts) - few <= figures.counted_known <= max(counts) + few
    is_left_again = not is_near and _is_left_again(figures, before)
    counts_in_words = f"{counted(counts[0], 'offer')} before the scan and {counts[1]:,} after it"
    said = f"the marketplace counts {counts_in_words}, {counted(figures.counted_known, 'is', 'are')} accounted for"
    if is_left_again:
        said += "; the previous sync left the same difference"
    elif not is_near and COUNT_IS_WRONG not in figures.marks:
        said += f"; {_movement(figures)}"
    return AuditVerdict(
        "count_agrees",
        not is_left_again and COUNT_IS_WRONG not in figures.marks,
        said,
        {
            "count_before": counts[0],
            "count_after": counts[1],
            "accounted": figures.counted_known,
            "oldest_page_seconds": figures.oldest_page_seconds,
        },
    )


def _is_left_again(figures: ScanFigures, before: Mapping[str, Any]) -> bool:
    """Whether two syncs without a pause left the same difference, which movement cannot explain."""
    # proofs of older versions do not record pauses
    if max(figures.pause_seconds, before.get("pause_seconds", _PAUSE_SECONDS)) >= _PAUSE_SECONDS:
        return False
    return bool(abs(figures.remainder - before["remainder"]) <= _FEW)


def _movement(figures: ScanFigures) -> str:
    """How movement may explain a difference, and when it will be resolved."""
    read = f"pages were read up to {age(figures.oldest_page_seconds)} before the last count"
    if figures.remainder < 0:
        return f"{read}, and offers may have left since; the next sync asks for those that it no longer sees"
    return f"{read}, and offers may have arrived since; the next sync shows them"


def _scan_is_complete(figures: ScanFigures) -> AuditVerdict:
    against = doubts(figures)
    accounted = figures.accounted
    is_said = accounted.difference > 0
    marks = [one for one in figures.marks if not (is_said and one.startswith(REMAINDER))]
    said = "; ".join(against or [*accounted.sentences, *marks])
    numbers = {name: number for name, number in figures.as_proof().items() if name != "marks"}
    return AuditVerdict("scan_is_complete", not against, said, numbers)


def _offer_ids_are_unique(figures: ScanFigures) -> AuditVerdict:
    against = repeats(figures)
    return AuditVerdict(
        "offer_ids_are_unique",
        not against,
        "; ".join(against) or _each_once(figures.distinct_ids),
        {"rows": figures.rows, "distinct_ids": figures.distinct_ids, "repeated_rows": figures.repeated_rows},
    )


def _each_once(offers: int) -> str:
    if offers < 2:
        return "the one offer is staged once" if offers else "no offer is staged"
    return f"each of {offers:,} offers is staged once"


def _rejects_within_tolerance(
    figures: ScanFigures, tolerance: float, reasons: Sequence[RejectReason], approval: Approval | None
) -> AuditVerdict:
    # a single reject is tolerated, however small the account, unless the tolerance is 0
    within = figures.not_read_share <= tolerance or (figures.not_read == 1 and tolerance > 0)
    sentence = _not_read(figures, tolerance) + (f"; most often {_listed(reasons)}" if reasons and not within else "")
    needed = None if within else approval
    return AuditVerdict(
        REJECTS,
        within or needed is not None,
        _with(sentence, needed),
        {
            "quarantined": figures.quarantined,
            "unreadable_rows": figures.unreadable_rows,
            "unreadable_positions": figures.unreadable_positions,
            "met_twice": figures.read_twice,
            "not_read": figures.not_read,
            "rows": figures.rows_and_positions,
            "share": figures.not_read_share,
            "tolerance": tolerance,
        },
        can_be_approved=True,
        approval=needed,
        findings=figures.not_read,
    )


def _with(sentence: str, approval: Approval | None) -> str:
    return f"{sentence}; {approval.words}" if approval else sentence


def _not_read(figures: ScanFigures, tolerance: float) -> str:
    """How many rows could not be read properly, e.g. `20 of 950 rows are in quarantine (2.11%), …`."""
    rows, share = counted(figures.rows_and_positions, "row"), f"({figures.not_read_share:.2%})"
    tolerated = f"{tolerance:.2%} are tolerated"
    if figures.not_read == figures.in_quarantine_once:
        are = "is" if figures.not_read == 1 else "are"
        return f"{figures.not_read:,} of {rows} {are} in quarantine {share}, {tolerated}"
    parts = {
        "in quarantine": figures.in_quarantine_once,
        "with unreadable fields": figures.unreadable_rows,
        "that the marketplace fails to show": figures.unreadable_positions,
    }
    listed = ", ".join(f"{number:,} {words}" for words, number in parts.items() if number)
    return f"{figures.not_read:,} of {rows} cannot be used as they are {share}, {tolerated}: {listed}"


def _listed(reasons: Sequence[RejectReason]) -> str:
    """The reasons with their counts, and one example."""
    listed = ", ".join(f'"{reason.words}" ({reason.rows:,})' for reason in reasons)
    return f"{listed}; for example {reasons[0].example}"


def _volume_has_not_collapsed(figures: ScanFigures, max_shrink: float, approval: Approval | None) -> AuditVerdict:
    before, share = figures.published_before, figures.vanished_share
    # an account may have no offers at all, if none were published and the marketplace counts none
    emptied = figures.is_empty and bool(before or figures.count_before or figures.count_after)
    within = share <= max_shrink and not emptied
    needed = None if within else approval
    return AuditVerdict(
        "volume_has_not_collapsed",
        figures.missing == 0 and (within or needed is not None),
        _with("; ".join(_volume(figures, max_shrink, emptied)), needed),
        {"vanished": figures.vanished, "published_before": before, "share": share, "max_shrink": max_shrink},
        can_be_approved=True,
        is_about_emptiness=emptied,
        approval=needed,
        findings=figures.vanished,
    )


def _volume(figures: ScanFigures, max_shrink: float, emptied: bool) -> list[str]:
    before, share = figures.published_before, figures.vanished_share
    if before:
        have = "has" if figures.vanished == 1 else "have"
        vanished = f"{figures.vanished:,} of {counted(before, 'published offer')} {have} vanished ({share:.2%})"
        said = [f"{vanished}, {max_shrink:.0%} may vanish without approval"]
    else:
        said = ["no offer was published before, so none can be lost"]
    if emptied:
        said.append(f"the scan contains no publishable offer, the marketplace counts {figures.count_after:,}")
    if (
        before and figures.remainder > 0 and (share > max_shrink or emptied)
    ):  # an approval would delete offers although the marketplace may still count them
        are = "is" if figures.remainder == 1 else "are"
        said.append(f"{figures.remainder:,} of {counted(figures.count_after, 'counted offer')} {are} not accounted for")
    if figures.missing and share <= max_shrink:
        offers = counted(figures.missing, "missing offer has", "missing offers have")
        said.append(f"{offers} not been confirmed by {'its' if figures.missing == 1 else 'their'} id")
    return said


log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Audit:
    """All verdicts on one scan. `accepted` scans may be published."""

    lease: Lease
    verdicts: Sequence[AuditVerdict]
    #: informative verdicts that never block a publish
    remarks: Sequence[AuditVerdict] = ()

    @property
    def accepted(self) -> bool:
        """Every verdict passed, if need be by a person's approval."""
        return all(verdict.passed for verdict in self.verdicts)

    def refusal(self) -> RefusedError:
        """The error for a refused scan, for the ledger and the operator."""
        return RefusedError(
            "the audit refuses the scan, nothing was published",
            where=self.lease.where,
            why="; ".join(verdict.sentence for verdict in self._failed),
            remedy=self.remedy,
        )

    @property
    def _failed(self) -> list[AuditVerdict]:
        return [verdict for verdict in self.verdicts if not verdict.passed]

    @property
    def remedy(self) -> str:
        """What a person can do about a refused scan."""
        if not all(verdict.can_be_approved for verdict in self._failed):
            return "Start a new run: it reads the catalogue from scratch"
        option = " --even-if-empty" if any(verdict.is_about_emptiness for verdict in self._failed) else ""
        approve = f"run `emag-pipeline approve {self.lease.sync_id}{option}`; it publishes the staged scan"
        if any(verdict.name == REJECTS for verdict in self._failed):
            return (
                f"See the rows with `emag-pipeline rejects --account {self.lease.account}`; if this is right, {approve}"
            )
        return f"If this is right, {approve}"


def audit_scan(context: SyncContext) -> Audit:
    """Judge the scan that this Dagster run staged, and record the verdict in the ledger.

    An accepted scan may be published by the same run. A refused one stays staged, and the sync ends as failed.
    Raises LeaseLost if the run does not hold a scan.
    """
    lease = ledger.held_by(context.database, context.account.name, context.run_id)
    with attempt(context, lease):
        return retry_on_db_error(lambda: _audit_or_found(context, lease))


def _audit_or_found(context: SyncContext, lease: Lease) -> Audit:
    """Judge; or return an earlier refusal if only the confirmation of its commit was lost."""
    try:
        return _audit(context, lease)
    except LeaseLost:
        if not ledger.was_refused(context.database, lease):
            raise
        log.info("commit_found", what="refusal")
        return _judged(context, lease, audit.figures(context.database, lease.sync_id))


def _judged(context: SyncContext, lease: Lease, figures: ScanFigures) -> Audit:
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
    ledger.end(
        database,
        lease,
        SyncStatus.FAILED,
        error_class=said.error_class,
        message=said.cause,
        remedy=said.remedy,
    )
    log.error("audit_refused", message=said.message, remedy=said.remedy)
    return result
