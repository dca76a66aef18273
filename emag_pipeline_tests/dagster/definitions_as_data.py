"""All that Dagster is told, as plain data. As a program it prints that of the settings in its environment, as JSON."""

import json
from typing import Any

import dagster as dg

from emag_pipeline.definitions import defs

Data = dict[str, Any]

_REPOSITORY = defs.get_repository_def()
_GRAPH = defs.resolve_asset_graph()


def as_data() -> dict[str, Data]:
    """Each definition by its name, in its room: assets, checks, jobs, schedules, sensors, and what they share."""
    jobs = [job for job in _REPOSITORY.get_all_jobs() if not job.name.startswith("__")]
    return {
        "assets": {spec.key.to_user_string(): _asset(spec) for spec in defs.resolve_all_asset_specs()},
        "checks": {key.name: _check(key) for key in _GRAPH.asset_check_keys},
        "jobs": {job.name: _job(job) for job in jobs},
        "schedules": {schedule.name: _schedule(schedule) for schedule in _REPOSITORY.schedule_defs},
        "sensors": {sensor.name: _sensor(sensor) for sensor in _REPOSITORY.sensor_defs},
        "shared": {"resources": sorted(_REPOSITORY.get_top_level_resources())},
    }


def _asset(spec: dg.AssetSpec) -> Data:
    return {
        "group": spec.group_name,
        "owners": sorted(spec.owners),
        "kinds": sorted(spec.kinds),
        "tags": {name: value for name, value in spec.tags.items() if not name.startswith("dagster/kind/")},
        "table": spec.metadata.get("dagster/table_name"),
        "partitions": _partitions(spec.partitions_def),
        "deps": {dep.asset_key.to_user_string(): _mapping(dep.partition_mapping) for dep in spec.deps},
    }


def _mapping(mapping: dg.PartitionMapping | None) -> Any:
    """Which partitions need which of the dependency's: Dagster's choice, or keys by the dependency's key."""
    if mapping is None:
        return "as Dagster maps them"
    assert isinstance(mapping, dg.StaticPartitionMapping)
    keys = mapping.downstream_partition_keys_by_upstream_partition_key
    return {upstream: sorted([below] if isinstance(below, str) else below) for upstream, below in keys.items()}


def _partitions(partitions: dg.PartitionsDefinition | None) -> Any:
    if isinstance(partitions, dg.MultiPartitionsDefinition):
        return {one.name: _partitions(one.partitions_def) for one in partitions.partitions_defs}
    if isinstance(partitions, dg.TimeWindowPartitionsDefinition):
        first = f"{partitions.start:%Y-%m-%d}"
        return {"cron": partitions.cron_schedule, "from": first, "to_come": partitions.end_offset}
    return None if partitions is None else list(partitions.get_partition_keys())


def _check(key: dg.AssetCheckKey) -> Data:
    spec = _GRAPH.get_check_spec(key)
    return {
        "asset": key.asset_key.to_user_string(),
        "step": _REPOSITORY.asset_checks_defs_by_key[key].op.name,
        "blocking": spec.blocking,
        "partitions": _partitions(spec.partitions_def),
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.additional_deps),
    }


def _job(job: dg.JobDefinition) -> Data:
    layer = job.asset_layer
    partitions = job.partitions_def
    keys = partitions.get_partition_keys() if isinstance(partitions, dg.StaticPartitionsDefinition) else []
    own = {key: tags for key in keys if (tags := _own_tags(job, key))}
    return {
        "assets": sorted(key.to_user_string() for key in layer.selected_asset_keys),
        "checks": sorted(key.name for key in layer.asset_graph.asset_check_keys),
        "steps": sorted(node.name for node in job.nodes),
        "partitions": _partitions(partitions),
        "tags": dict(job.run_tags),
        "tags_of_partitions": own,
        "executor": job.executor_def.name,
    }


def _own_tags(job: dg.JobDefinition, key: str) -> Data:
    """The tags that only runs of the partition have, but for the partition itself."""
    of_partition = job.get_tags_for_partition_key(key, None)
    return {
        name: value
        for name, value in of_partition.items()
        if name not in job.run_tags and not name.startswith("dagster/partition")
    }


def _schedule(schedule: dg.ScheduleDefinition) -> Data:
    return {
        "job": schedule.job_name,
        "cron": schedule.cron_schedule,
        "timezone": schedule.execution_timezone,
        "default_status": schedule.default_status.value,
    }


def _sensor(sensor: dg.SensorDefinition) -> Data:
    return {
        "jobs": sorted(target.job_name for target in sensor.targets),
        "minimum_interval_seconds": sensor.minimum_interval_seconds,
        "default_status": sensor.default_status.value,
    }


if __name__ == "__main__":
    print(json.dumps(as_data()))
