"""An asset and a check for each mart of the registry, with their metadata for Dagster's UI."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import dagster as dg

from emag_pipeline.dagster_runs.metadata import (
    OWNERS,
    REMEDY,
    Metadata,
    column_schema,
    recorded,
    shown,
    table,
    table_name,
)
from emag_pipeline.dagster_runs.resource import Pipeline, accounts, marketplaces, partition_of
from emag_pipeline.logs import about
from emag_pipeline.marts import pictures
from emag_pipeline.marts.checks import Reconciliation, look_at, reconcile
from emag_pipeline.marts.refresh import MartRefresh, refresh
from emag_pipeline.marts.registry import MARTS, Mart
from emag_pipeline.refresh.dagster import offers
from emag_pipeline.settings import current
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounts import note_marketplaces

#: `end_offset` makes today a partition.
days = dg.DailyPartitionsDefinition(start_date=current().first_day.isoformat(), end_offset=1)
accounts_by_day = dg.MultiPartitionsDefinition({"account": accounts, "day": days})

_READ_MORE = "Columns: docs/data-dictionary.md. Questions in SQL: docs/queries.md. When it fails: docs/runbook.md."
_REMEDY = (
    "Materialise the mart again; if the differences persist, another program writes to its table, or this is a bug"
)

_accounts_of = {
    place: {account.name for account in current().accounts if account.marketplace.name == place}
    for place in marketplaces.get_partition_keys()
}


def mart_asset(mart: Mart) -> dg.AssetsDefinition:
    """The asset that brings a mart up to date.

    Marts by day have no BackfillPolicy, because Dagster would record one set of figures for all days of a run. There is
    one run per day, of half a second.
    """

    @dg.asset(
        name=mart.name,
        deps=[offers, *(_reference(name) for name in mart.rests_on)],
        partitions_def=_partitions(mart),
        group_name="marts",
        kinds={"postgres"},
        owners=OWNERS,
        tags={"layer": "mart"},
        metadata=table_name(mart.table),
        description=f"{mart.description} {_READ_MORE}",
    )
    def refreshed(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.MaterializeResult[None]:
        account, day = _scope(mart, context)
        with about(account=account), pipeline.step(context) as database:
            note_marketplaces(database, pipeline.settings)
            language = None if mart.is_by_day else pipeline.settings.language_of(account)
            done = refresh(database, mart, account, day, language=language)
            return dg.MaterializeResult(metadata=_of_refresh(done) | _of_look(database, mart, account, day))

    return refreshed


def mart_check(mart: Mart) -> dg.AssetChecksDefinition:
    """The check that reconciles a mart with the offers; it is for information and does not block."""

    @dg.asset_check(asset=mart.name, name=mart.check, partitions_def=_partitions(mart), description=mart.check_sentence)
    def checked(context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
        account, day = _scope(mart, context)
        with about(account=account), pipeline.step(context) as database:
            result = _result(reconcile(database, mart, account, day), mart, account)
            return recorded(database, context, result, account, part="" if day is None else day.isoformat())

    return checked


def _partitions(mart: Mart) -> dg.PartitionsDefinition:
    return accounts_by_day if mart.is_by_day else accounts


def _reference(name: str) -> dg.AssetDep:
    return dg.AssetDep(name, partition_mapping=dg.StaticPartitionMapping(_accounts_of))


def _scope(mart: Mart, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> tuple[str, date | None]:
    """The account of the step's partition, and the day if the mart has one."""
    key = partition_of(context)
    if not mart.is_by_day:
        return key, None
    parts = accounts_by_day.get_partition_key_from_str(key).keys_by_dimension
    return parts["account"], date.fromisoformat(parts["day"])


def _of_refresh(done: MartRefresh) -> Metadata:
    """The row counts of a refresh, and the newest publish at that time."""
    return {
        "dagster/row_count": done.rows,
        "rows_inserted": done.inserted,
        "rows_updated": done.updated,
        "rows_deleted": done.deleted,
        "sync_id": str(done.sync_id),
        "published_at": dg.MetadataValue.timestamp(done.published_at),
    }


def _of_look(database: Database, mart: Mart, account: str, day: date | None) -> Metadata:
    """The mart's figures, pictures, most important rows and columns."""
    look = look_at(database, mart, account, day)
    numbers = {name: _value(value) for name, value in look.numbers.items() if value is not None}
    nothing = f"no row: {account} had not been published yet on {day}, or the day is in the future"
    return {
        **(numbers if numbers or day is None else {"note": nothing}),
        **pictures.of_mart(mart.name, database, account, day),
        **({"sample": table(look.sample)} if "sample" in mart.statements else {}),
        **column_schema(database, mart.table),
    }


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return dg.MetadataValue.timestamp(value)
    return dg.MetadataValue.json(value) if isinstance(value, dict | list) else shown(value)


def _result(found: Reconciliation | None, mart: Mart, account: str) -> dg.AssetCheckResult:
    if found is None:
        return dg.AssetCheckResult(passed=True, description=f"{account} was never published: nothing to compare.")
    if not found.is_current:
        return _older(found, mart, account)
    differences = "1 difference" if found.found == 1 else f"{found.found:,} differences"
    return dg.AssetCheckResult(
        passed=found.found == 0,
        description=f"{differences} between {mart.name} and the offers, see the sample"
        if found.found
        else f"{mart.name} agrees with the offers",
        metadata={
            "findings": found.found,
            **found.numbers,
            "sample": table(found.sample),
            **({REMEDY: _REMEDY} if found.found else {}),
        },
    )


def _older(found: Reconciliation, mart: Mart, account: str) -> dg.AssetCheckResult:
    shows = "no publish yet" if found.shown_at is None else f"the publish of {found.shown_at:%Y-%m-%d %H:%M:%S} UTC"
    newest = f"{found.newest_at:%Y-%m-%d %H:%M:%S} UTC"
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{mart.name} shows {shows}, the newest publish of {account} is of {newest}",
        metadata={REMEDY: "Materialise it again, or wait: the sensor stale_marts requests it automatically"},
    )


#: By the mart's name.
mart_assets: Mapping[str, dg.AssetsDefinition] = {mart.name: mart_asset(mart) for mart in MARTS}
mart_checks = [mart_check(mart) for mart in MARTS]
