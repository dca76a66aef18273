"""The blocking audit of a scan: four checks in one step; any that fails keeps `offers` as they are."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.assets.staged_offers import staged_offers
from emag_pipeline.checks.record import REMEDY, recorded
from emag_pipeline.moments import iso
from emag_pipeline.sync import Verdict, audit_scan

_CHECKS = {
    "scan_is_complete": "Every offer that the marketplace counts is staged, quarantined or found by its id.",
    "offer_ids_are_unique": "No offer stands on two pages: nothing moved while the pages were read.",
    "rejects_within_tolerance": "Few rows, fields or positions cannot be read (EMAG_SYNC_REJECT_TOLERANCE).",
    "volume_has_not_collapsed": "Not too many published offers have vanished at once (EMAG_SYNC_MAX_SHRINK).",
}


@dg.multi_asset_check(
    name="audit",
    description="Judges a staged scan by four checks; all must pass before anything is published.",
    specs=[
        dg.AssetCheckSpec(name, asset=staged_offers, description=sentence, blocking=True, partitions_def=accounts)
        for name, sentence in _CHECKS.items()
    ],
)
def audit(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.AssetCheckResult]:
    with pipeline.sync(context) as sync:
        judged = audit_scan(sync)
        for verdict in judged.verdicts:
            yield recorded(sync.database, context, _result(verdict, judged.remedy), sync.account.name)
        if not judged.accepted:
            # Dagster would fail the step in words that name checks only; a run's last lines say what to do
            raise judged.refusal()


def _result(verdict: Verdict, remedy: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=verdict.name,
        asset_key=staged_offers.key,
        passed=verdict.passed,
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
