"""Reference data in Dagster: three assets, their checks, job, schedules and sensor."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs.metadata import OWNERS, REMEDY, Metadata, column_schema, recorded, table, table_name
from emag_pipeline.dagster_runs.past_runs import past_runs
from emag_pipeline.dagster_runs.resource import RETRIES, Pipeline, marketplaces, partition_of
from emag_pipeline.dagster_runs.start_time import await_start, minute_of, run_of, second_of
from emag_pipeline.reference.read import ReferenceRefresh, allowed_age, is_old, read_last, read_reference
from emag_pipeline.reference.tables import (
    CATEGORIES,
    RESOURCES,
    VAT_RATES,
    Resource,
    Unknown,
    last_reads,
    sample,
    unknown_categories,
    unknown_vat_rates,
)
from emag_pipeline.settings import Settings, cron, current
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.account_health import LONGEST_WAIT_SECONDS, PastRuns, wait_seconds
from emag_pipeline.sync.status import account_statuses
from emag_pipeline.wording import counted

_MOST_SHOWN = 10

_KEPT = (
    "Rows that the marketplace no longer returns are kept, with `deleted_at` set. Columns: docs/data-dictionary.md. "
    "When it fails: docs/runbook.md."
)


def _asset(resource: Resource) -> dg.AssetsDefinition:
    """The asset that reads a resource of a marketplace."""

    @dg.asset(
        name=resource.name,
        partitions_def=marketplaces,
        group_name="reference",
        kinds={"python", "postgres"},
        owners=OWNERS,
        tags={"layer": "reference"},
        metadata=table_name(resource.table),
        description=f"{resource.description} {_KEPT}",
    )
    def refreshed(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult[None]:
        return _refreshed(context, pipeline, resource)

    return refreshed


def _refreshed(context: dg.AssetExecutionContext, pipeline: Pipeline, resource: Resource) -> dg.MaterializeResult[None]:
    marketplace = partition_of(context)
    await_start(context)
    with pipeline.step(context, RETRIES) as database:
        done = read_reference(pipeline.settings, database, marketplace, resource)
        shown = table(sample(database, resource, marketplace, _MOST_SHOWN))
        return dg.MaterializeResult(
            metadata=_numbers(done) | {"sample": shown} | column_schema(database, resource.table)
        )


reference_assets = [_asset(resource) for resource in RESOURCES]


def _numbers(done: ReferenceRefresh) -> Metadata:
    """The row counts of a refresh; `unreadable` are rows that cannot be represented, some of them with the reason."""
    reasons = [{"reason": reason} for reason in done.unreadable[:_MOST_SHOWN]]
    return {
        "dagster/row_count": done.merged.rows,
        "created": done.merged.created,
        "updated": done.merged.updated,
        "revived": done.merged.revived,
        "deleted": done.merged.deleted,
        "unreadable": len(done.unreadable),
        **({"unreadable_rows": table(reasons)} if reasons else {}),
        "account": done.account,
        "requests": done.requests,
        "seconds": round(done.seconds, 2),
    }


# Whether the reference data covers the offers. The check never blocks: an offer with an unknown id is kept.
#
# Checked when reference data is read, and with each review of an account's offers (`reference_answers`), because a
# publish may add an unknown id or remove the last one.

_REMEDY = (
    "Run the job refresh_reference, which reads the list again (`emag-pipeline sync` does so too, once a day); "
    "if the id is still missing, correct it in the offer or ask the marketplace"
)


@dataclass(frozen=True, slots=True)
class _Check:
    """A check that every offer's id is in a resource; it has no result before that was read once."""

    name: str
    sentence: str
    resource: Resource
    #: one such id, and several
    what: tuple[str, str]
    #: what is listed, and what an offer lacks whose id is not
    listed: str
    lacks: str
    severity: dg.AssetCheckSeverity
    look: Callable[[Database, str], Unknown]

    @property
    def asset(self) -> dg.AssetKey:
        return dg.AssetKey(self.resource.name)

    def result(self, database: Database, context: dg.AssetCheckExecutionContext, place: str) -> dg.AssetCheckResult:
        """The result for a marketplace, stored as its newest one."""
        facts = self._facts(self.look(database, place))
        result = dg.AssetCheckResult(check_name=self.name, asset_key=self.asset, severity=self.severity, **facts)
        return recorded(database, context, result, place)

    def _facts(self, unknown: Unknown) -> dict[str, Any]:
        passed = unknown.offers == 0
        return {
            "passed": passed,
            "description": self._all_known(unknown) if passed else self._missing(unknown),
            "metadata": {
                "findings": unknown.offers,
                "ids": unknown.ids,
                "no_longer_listed": unknown.no_longer_listed,
                "offers_without_id": unknown.without_id,
                **({} if passed else {"sample": table(unknown.sample), REMEDY: _REMEDY}),
            },
        }

    def _all_known(self, unknown: Unknown) -> str:
        without = f"; {counted(unknown.without_id, 'offer')} without one" if unknown.without_id else ""
        return f"every {self.what[0]} of an existing offer is in the marketplace's {self.listed}{without}"

    def _missing(self, unknown: Unknown) -> str:
        """What is missing, for how many offers, with what consequence, and an example."""
        missing = counted(unknown.ids, *self.what)
        is_are = "is" if unknown.ids == 1 else "are"
        said = (
            f"{missing} of {counted(unknown.offers, 'existing offer')} {is_are} not in the marketplace's {self.listed}"
        )
        lacking = unknown.offers - unknown.no_longer_listed
        if lacking:
            said += f": {self.lacks} empty in {counted(lacking, 'offer')}"
        if unknown.no_longer_listed:
            said += (
                f"; in {counted(unknown.no_longer_listed, 'offer')} it was listed before, and its last value is kept"
            )
        if not unknown.sample:  # listed in the meantime
            return said
        first = unknown.sample[0]
        where = f"{first['account']}, offer {first['emag_offer_id']}"
        return f"{said}; for example {self.what[0]} {first[self.resource.key]} of {where}"


_CHECKS = (
    _Check(
        "categories_exist_for_all_offers",
        "The category of every existing offer is in the marketplace's list.",
        CATEGORIES,
        ("category id", "category ids"),
        "list of categories",
        "category_name is",
        dg.AssetCheckSeverity.WARN,
        unknown_categories,
    ),
    _Check(
        "vat_rates_exist_for_all_offers",
        "The VAT id of every existing offer has a rate; without one, prices with VAT are empty.",
        VAT_RATES,
        ("VAT id", "VAT ids"),
        "list of VAT rates",
        "prices with VAT are",
        dg.AssetCheckSeverity.ERROR,
        unknown_vat_rates,
    ),
)


def _asset_check(check: _Check) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=check.asset, name=check.name, description=check.sentence, partitions_def=marketplaces)
    def judged(context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
        with pipeline.step(context) as database:
            return check.result(database, context, partition_of(context))

    return judged


reference_checks = [_asset_check(check) for check in _CHECKS]


def reference_answers(
    database: Database, context: dg.AssetCheckExecutionContext, marketplace: str
) -> Iterator[dg.AssetCheckEvaluation]:
    """The checks' results for a marketplace, for a step of another partition: stored in its run, under the marketplace.

    Without resources that were never read. Raises the errors of the database.
    """
    read = last_reads(database, marketplace)
    for check in _CHECKS:
        if check.resource.name in read:
            result = check.result(database, context, marketplace)
            yield dg.AssetCheckEvaluation(
                check_name=check.name,
                asset_key=check.asset,
                partition=marketplace,
                passed=result.passed,
                severity=result.severity,
                description=result.description,
                metadata=result.metadata,
            )


# The job `refresh_reference`, a schedule per marketplace, and a sensor.
#
# The schedules read the data once a day. The sensor requests data that was never read or is too old, so that the first
# read of a new installation is automatic. It requests one run per marketplace at a time, with growing delays after
# failures. After an error that a retry cannot fix, it waits until an account of the marketplace has been published,
# which shows that the cause has been removed.

_MOST_SECONDS = 1800

refresh_reference = dg.define_asset_job(
    dagster_runs.REFERENCE_JOB,
    selection=dg.AssetSelection.assets(*reference_assets),
    description="Read a marketplace's categories, VAT rates and handling times. One run per marketplace.",
    # in the queue, syncs come first
    tags={"dagster/max_runtime": str(_MOST_SECONDS), "dagster/priority": "-1"},
)


def reference_schedule(marketplace: str, settings: Settings) -> dg.ScheduleDefinition:
    """The read of one marketplace's reference data by EMAG_REFERENCE_CRON, on by default."""

    @dg.schedule(
        name=f"{dagster_runs.REFERENCE_JOB}_{re.sub(r'[^A-Za-z0-9_]', '_', marketplace)}",
        job=refresh_reference,
        cron_schedule=cron.with_minute(settings.reference_cron, minute_of(marketplace)),
        execution_timezone=settings.cron_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Reads the reference data of {marketplace}, at second {second_of(marketplace)} of the minute.",
    )
    def read(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if marketplace in dagster_runs.partitions_under_way(context.instance, dagster_runs.REFERENCE_JOB):
            return dg.SkipReason(f"a run of {marketplace} is queued or under way")
        return run_of(context, marketplace)

    return read


reference_schedules = [reference_schedule(name, current()) for name in marketplaces.get_partition_keys()]


@dg.sensor(
    job=refresh_reference,
    minimum_interval_seconds=round(current().monitor_interval_seconds),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Requests a run for each marketplace whose reference data was read more than "
    f"{allowed_age(current()).total_seconds() / 3600:.0f} hours ago, or never.",
)
def stale_reference(
    context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    settings = pipeline.settings
    with pipeline.database() as database:
        reasons = {name: _why_not(database, context.instance, name, settings) for name in settings.marketplaces}
        monitoring_tables.note_tick(database, "stale_reference")
    if all(reasons.values()):
        yield dg.SkipReason("; ".join(f"{name}: {reason}" for name, reason in reasons.items()))
    yield from (dg.RunRequest(partition_key=name) for name, reason in reasons.items() if not reason)


def _why_not(database: Database, instance: dg.DagsterInstance, marketplace: str, settings: Settings) -> str:
    """Why the marketplace gets no run now, in a few words; empty if it gets one."""
    under_way = dagster_runs.partitions_under_way(
        instance, dagster_runs.REFERENCE_JOB
    )  # first query: includes a run that ends in the meantime
    oldest = read_last(database, marketplace)
    if not is_old(oldest, settings):
        return "fresh"
    past = past_runs(instance, marketplace, oldest, dagster_runs.REFERENCE_JOB)
    under_way |= dagster_runs.partitions_under_way(
        instance, dagster_runs.REFERENCE_JOB
    )  # last query: includes a run that starts in the meantime
    if marketplace in under_way or past.awaits_retry:
        return "a run is under way"
    if past.cause is not None and past.cause.needs_a_person:
        accounts = [account.name for account in settings.accounts if account.marketplace.name == marketplace]
        if not _were_published(database, accounts, past.ended_seconds_ago):
            return "waits for a person"
    left = _wait_seconds(past, settings) - past.ended_seconds_ago
    return f"next try in {left:.0f} s" if left > 0 else ""


def _were_published(database: Database, accounts: Sequence[str], within_seconds: float) -> bool:
    ages = [status.published_seconds_ago for status in account_statuses(database, accounts)]
    return any(age is not None and age < within_seconds for age in ages)


def _wait_seconds(past: PastRuns, settings: Settings) -> float:
    """How long after the newest run the next one may start."""
    return LONGEST_WAIT_SECONDS if past.is_cancelled else wait_seconds(past.failures, settings.monitor_interval_seconds)
