"""A Dagster instance as in production: on PostgreSQL, its files in a directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline_tests.databases import drop

_serial = count(1)


@contextmanager
def stored_instance(cluster: EmbeddedServer, home: Path) -> Iterator[dg.DagsterInstance]:
    """An instance in a database of its own, which is dropped at the end."""
    with instance_in(cluster, f"dagster_{next(_serial)}", home) as instance:
        yield instance


@contextmanager
def instance_in(cluster: EmbeddedServer, name: str, home: Path) -> Iterator[dg.DagsterInstance]:
    """An instance in the database of that name, which is dropped at the end."""
    home.mkdir(exist_ok=True)
    config = {"postgres_url": cluster.url(name)}
    storage = {"custom": {"module": "emag_pipeline.dagster_runs.storage", "class": "Storage", "config": config}}
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides={"storage": storage})) as instance:
        yield instance
    drop(cluster, name)
