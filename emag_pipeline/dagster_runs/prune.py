"""Dagster's old runs: removed with their events, check results and output. Dagster itself keeps all of them for ever.

Kept whatever their age are runs under way, and those that hold a partition's newest materialization or the newest
result of a check: without the run, the UI would show the partition as missing (seen with Dagster 1.13).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.events import DagsterEventType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage

from emag_pipeline.dagster_runs import ENDED

_EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
_AT_ONCE = 1000


def prune(instance: dg.DagsterInstance, days: float, *, dry_run: bool = False) -> int:
    """Remove the runs that were created more than so many days ago and have ended; returns how many.

    With `dry_run` they are only counted. A run at a time, its output first: begun again after a failure, it goes on.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    ended = dg.RunsFilter(created_before=before, statuses=ENDED)
    # in this order: what is materialised meanwhile only adds to what is needed
    old = instance.run_storage.get_run_ids(ended)
    needed = set(_runs_needed(instance))
    unneeded = [run_id for run_id in old if run_id not in needed]
    if not dry_run:
        for run_id in unneeded:
            _remove(instance, run_id)
    return len(unneeded)


def _remove(instance: dg.DagsterInstance, run_id: str) -> None:
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):  # `delete_run` leaves the results of checks behind
        results = AssetCheckExecutionsTable
        with storage.index_connection() as connection:
            connection.execute(results.delete().where(results.c.run_id == run_id))
    instance.delete_run(run_id)


def _runs_needed(instance: dg.DagsterInstance) -> Iterator[str]:
    for asset in instance.all_asset_keys():
        yield from _newest_materializations(instance, asset)
    # by name: the definitions stand above this module; an instance lists no checks
    repository = ReconstructableRepository.for_module("emag_pipeline.definitions", "defs").get_definition()
    for check in repository.asset_graph.asset_check_keys:
        yield from _newest_results(instance, check)


def _newest_materializations(instance: dg.DagsterInstance, asset: dg.AssetKey) -> Iterator[str]:
    whole = instance.get_latest_materialization_event(asset)
    if whole is not None:
        yield whole.run_id
    newest = instance.event_log_storage.get_latest_storage_id_by_partition(
        asset, DagsterEventType.ASSET_MATERIALIZATION
    )
    ids = list(newest.values())
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        found = instance.fetch_materializations(dg.AssetRecordsFilter(asset, storage_ids=some), limit=len(some))
        yield from (record.run_id for record in found.records)


def _newest_results(instance: dg.DagsterInstance, check: dg.AssetCheckKey) -> Iterator[str]:
    storage = instance.event_log_storage
    for partition in storage.get_asset_check_partition_info([check]):
        where = PartitionKeyFilter(key=partition.partition_key)
        results = storage.get_asset_check_execution_history(check, 1, status=_EVALUATED, partition_filter=where)
        yield from (result.run_id for result in results)
