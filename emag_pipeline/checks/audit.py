"""The audit of a scan, in one step: any of the four checks that block keeps `offers` as they are; one only warns."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.assets.staged_offers import staged_offers
from emag_pipeline.checks.record import REMEDY, recorded
from emag_pipeline.moments import iso
from emag_pipeline.sync import Verdict, audit_scan

_BLOCKING = {
    "scan_is_complete": "Every offer that was there while it was read is staged, quarantined or found by its id.",
    "offer_ids_are_unique": "Each offer is staged once, however many pages have shown it.",
    "rejects_within_tolerance": "Few rows, fields or positions cannot be read (EMAG_SYNC_REJECT_TOLERANCE).",
    "volume_has_not_collapsed": "Not too many published offers have vanished at once (EMAG_SYNC_MAX_SHRINK).",
}
_REMARKS = {
    "count_agrees": "The marketplace counts as many offers as it shows, but for a few that came or went meanwhile.",
}
_REPORT = (
    "Report to the marketplace's support that its count and its pages disagree; the copy is complete without the count"
)


@dg.multi_asset_check(
    name="audit",
    description="Judges a staged scan by four checks that must pass before anything is published, and its count.",
    specs=[
        dg.AssetCheckSpec(
            name, asset=staged_offers, description=sentence, blocking=name in _BLOCKING, partitions_def=accounts
        )
        for name, sentence in {**_BLOCKING, **_REMARKS}.items()
    ],
)
def audit(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.AssetCheckResult]:
    with pipeline.sync(context) as sync:
        judged = audit_scan(sync)
        for verdict in judged.verdicts:
            yield recorded(sync.database, context, _result(verdict, judged.remedy), sync.account.name)
        for remark in judged.remarks:
            yield recorded(sync.database, context, _result(remark, _REPORT, warns=True), sync.account.name)
        if not judged.accepted:
            # Dagster would fail the step in words that name checks only; a run's last lines say what to do
            raise judged.refusal()


def _result(verdict: Verdict, remedy: str, *, warns: bool = False) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=verdict.name,
        asset_key=staged_offers.key,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
        description=verdict.sentence,
        metadata={**verdict.numbers, **_findings(verdict), **({} if verdict.passed else {REMEDY: remedy})},
    )


def _findings(verdict: Verdict) -> dict[str, Any]:
    """How many it found, and who accepted them where it passes for that reason only."""
    approval = verdict.approval
    return {
        **({} if verdict.findings is None else {"findings": verdict.findings}),
        **({} if approval is None else {"approved_by": approval.by, "approved_at": iso(approval.at)}),
    }
