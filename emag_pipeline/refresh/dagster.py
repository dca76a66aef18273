"""The refresh of an account in Dagster: the assets `staged_offers` and `offers`, the audit, the job, the schedules."""

from collections.abc import Iterator
from contextlib import closing
from math import ceil
from typing import Any
from uuid import UUID

import dagster as dg

from emag_pipeline import dagster_runs
from emag_pipeline.charts import small
from emag_pipeline.dagster_runs.metadata import (
    OWNERS,
    REMEDY,
    Metadata,
    column_schema,
    observed,
    of_publish,
    of_scan,
    recorded,
    small_picture,
    table_name,
    unless_it_fails,
)
from emag_pipeline.dagster_runs.resource import RETRIES, Pipeline, accounts
from emag_pipeline.dagster_runs.start_time import await_start, minute_of, run_of, second_of
from emag_pipeline.databases import unchecked_database
from emag_pipeline.errors import PipelineError, RefusedError
from emag_pipeline.review.dagster import publish_review
from emag_pipeline.settings import Settings, cron, current
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import remembered
from emag_pipeline.sync.accounts import page_size as known_page_size
from emag_pipeline.sync.audit import AuditVerdict, audit_scan
from emag_pipeline.sync.context import Progress
from emag_pipeline.sync.ledger import last_count
from emag_pipeline.sync.plan import OFFERS_A_PAGE, allowed_seconds, readings_due, scan_seconds, usual
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline.sync.status import account_statuses
from emag_pipeline.sync.timeline import timeline
from emag_pipeline.wording import iso

# staged_offers: the whole catalogue of an account, stored page by page and not yet visible.


@dg.asset(
    partitions_def=accounts,
    group_name="offers",
    kinds={"python", "postgres"},
    owners=OWNERS,
    tags={"layer": "staging"},
    metadata=table_name("emag_scan_offers"),
    description=(
        "The account's whole catalogue, read within the marketplace's rate limit and stored page by page. "
        "Readers do not see it until the blocking checks have passed. An interrupted scan continues after its last "
        "committed page."
    ),
)
def staged_offers(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.MaterializeResult[None]:
    def report(progress: Progress) -> None:
        context.log_event(observed(context, progress))

    await_start(context)
    with pipeline.sync(context, report, RETRIES) as sync:
        staged = stage_account(sync)
        return dg.MaterializeResult(metadata=of_scan(staged) | _pictures(sync.database, staged.sync_id))


def _pictures(database: Database, sync_id: UUID) -> Metadata:
    """Pictures of a scan: failed calls, the longest pause in seconds, and successful calls over time."""
    return unless_it_fails("scan", lambda: _scan(database, sync_id))


def _scan(database: Database, sync_id: UUID) -> Metadata:
    found = timeline(database, sync_id)
    return {
        "calls_failed": found.failed,
        "calls_over_rate_limit": found.limited,
        "longest_pause_seconds": round(found.longest_pause_seconds, 1),
        **small_picture("answers_over_time", small.columns, found.answers_over_time),
    }


# offers: the marketplace's offers as readers see them; changed in one transaction, with history.


@dg.asset(
    deps=[staged_offers],
    partitions_def=accounts,
    group_name="offers",
    kinds={"postgres"},
    owners=OWNERS,
    tags={"layer": "published"},
    metadata=table_name("emag_product_offers"),
    description=(
        "The account's offers, exact and current: `emag_product_offers` holds what changes often (prices, stock, "
        "status), `emag_products` what rarely changes, `emag_offer_history` every past commercial state; "
        "`emag_current_offers` joins them. Published in one transaction, and only after an audit. "
        "Prices are without VAT, times are UTC."
    ),
)
def offers(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
    with pipeline.sync(context) as sync:
        metadata = of_publish(publish_scan(sync), sync.budget().pace_seconds)
        return dg.MaterializeResult(metadata=metadata | column_schema(sync.database, "emag_product_offers"))


# The audit of a scan, in one step: if any of the four blocking checks fails, `offers` is not changed; one check warns.

_BLOCKING = {
    "scan_is_complete": "Every offer that existed throughout the scan is staged, quarantined or found by its id.",
    "offer_ids_are_unique": "Each offer is staged only once, even if several pages showed it.",
    "rejects_within_tolerance": "The unreadable rows, fields and positions are within EMAG_SYNC_REJECT_TOLERANCE.",
    "volume_has_not_collapsed": "The published offers that are gone are within EMAG_SYNC_MAX_SHRINK.",
}
_REMARKS = {
    "count_agrees": "The marketplace counts as many offers as it shows, apart from a few that changed meanwhile.",
}
_REPORT = "Report to the marketplace's support that its count and its pages disagree; the copy is complete"


@dg.multi_asset_check(
    name="audit",
    description="Four checks that a staged scan must pass to be published, and one on the marketplace's count.",
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
            # Dagster's own error would only name the checks; this one includes the remedy
            raise judged.refusal()


def _result(verdict: AuditVerdict, remedy: str, *, warns: bool = False) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=verdict.name,
        asset_key=staged_offers.key,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR,
        description=verdict.sentence,
        metadata={**verdict.numbers, **_findings(verdict), **({} if verdict.passed else {REMEDY: remedy})},
    )


def _findings(verdict: AuditVerdict) -> dict[str, Any]:
    """How many it found, and who accepted them if it passes only because of that."""
    approval = verdict.approval
    return {
        **({} if verdict.findings is None else {"findings": verdict.findings}),
        **({} if approval is None else {"approved_by": approval.by, "approved_at": iso(approval.at)}),
    }


# Dagster's time limit for a run of the job, computed when it is launched: longer than the limit of its sync.
#
# It is for a run that hangs without checking its own deadline; a late sync normally ends on its own and records that in
# the ledger.

#: How long a launch waits for a database that does not respond.
_LOOK_SECONDS = 2.0
#: For the steps around the scan: start, audit, publish, checks.
_AROUND_SECONDS = 600.0


def most_seconds(account: str, settings: Settings) -> float:
    """The seconds that the account's next run may take, from its last count of offers.

    Without a count, or without the database, from the number that EMAG_SYNC_MAX_PAGES allows.
    """
    offers, page_size, is_odd_ignored = settings.max_pages * OFFERS_A_PAGE, settings.page_size, False
    try:
        with closing(unchecked_database(settings, most_seconds=_LOOK_SECONDS)) as database:
            offers = last_count(database, account) or offers
            page_size = min(page_size, known_page_size(database, account).size or page_size)
            is_odd_ignored = remembered.habits(database, account).ignores_odd_sizes
    except PipelineError:
        pass  # the run itself will report the error
    readings = readings_due(page_size, ignores_odd_sizes=is_odd_ignored)
    needed = scan_seconds(offers, usual(page_size) if is_odd_ignored else page_size, settings.pace_seconds, readings)
    return allowed_seconds(settings.timeout_hours, needed) + _AROUND_SECONDS


refresh_offers = dg.define_asset_job(
    dagster_runs.REFRESH_JOB,
    # the other checks on offers run with the marts, because they read the whole catalogue and would delay the sync
    selection=dg.AssetSelection.assets(staged_offers, offers).without_checks()
    | dg.AssetSelection.checks(audit, publish_review),
    description="Read an account's catalogue, audit it, publish it. One run per account.",
    config=dg.PartitionedConfig(
        partitions_def=accounts,
        run_config_for_partition_key_fn=lambda _: {},
        tags_for_partition_key_fn=lambda account: {"dagster/max_runtime": str(ceil(most_seconds(account, current())))},
    ),
    tags={
        # after a crash or a timeout the whole run is retried: the ledger knows which pages need not be read again
        "dagster/retry_strategy": "ALL_STEPS",
    },
)


# Each account is refreshed at its own minute and second, never on round times, as the vendor asks.
#
# Both are derived from the account's name, so other accounts do not affect them. If a run of the account is queued or
# in progress, the tick is skipped, so that runs do not pile up behind a long one. It is also skipped while a refused
# scan waits for a person, because a new scan would discard what they have to decide on. After any other error that a
# retry cannot fix, the schedule still tries: that costs one call, and detects a cause that was removed elsewhere.
# Source: docs/marketplace-api.md, "Rate limits".


def refresh_schedule(account: str, settings: Settings) -> dg.ScheduleDefinition:
    """The refresh of one account by EMAG_REFRESH_CRON, on by default."""

    @dg.schedule(
        name=f"refresh_offers_{account}",
        job=refresh_offers,
        cron_schedule=cron.with_minute(settings.refresh_cron, minute_of(account)),
        execution_timezone=settings.cron_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Brings {account} up to date, at second {second_of(account)} of the minute.",
    )
    def refresh(
        context: dg.ScheduleEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.RunRequest | dg.SkipReason:
        if account in dagster_runs.accounts_under_way(context.instance):
            return dg.SkipReason(f"a run of {account} is queued or under way")
        if _awaits_decision(pipeline, account):
            return dg.SkipReason(
                f"the audit refused a scan of {account} and a person decides: see `emag-pipeline status`"
            )
        return run_of(context, account)

    return refresh


def _awaits_decision(pipeline: Pipeline, account: str) -> bool:
    """Whether the newest scan was refused and not approved. False if unknown: the run will then report the error."""
    try:
        with pipeline.database() as database:
            (status,) = account_statuses(database, [account])
    except PipelineError:
        return False
    error = status.last_error
    refused = error is not None and error.error_class == RefusedError.error_class and not error.is_discarded
    return refused and not status.awaits_publish


refresh_schedules = [refresh_schedule(account.name, current()) for account in current().accounts]
