"""A Dagster instance as in production: on PostgreSQL, its files in a directory."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline_tests.databases import copied, drop, end_sessions

_serial = count(1)


@contextmanager
def stored_instance(cluster: EmbeddedServer, home: Path) -> Iterator[dg.DagsterInstance]:
    """An instance in a database of its own, which is dropped at the end."""
    with (
        copied(cluster, _template(cluster), f"dagster_{next(_serial)}") as url,
        _opened(url, home) as instance,
    ):
        yield instance


@contextmanager
def instance_in(cluster: EmbeddedServer, name: str, home: Path) -> Iterator[dg.DagsterInstance]:
    """An instance in the database of that name, whatever it holds, which is dropped at the end."""
    with _opened(cluster.url(name), home) as instance:
        yield instance
    drop(cluster, name)


@cache
def _template(cluster: EmbeddedServer) -> str:
    """A database with Dagster's tables: it needs a second to make them."""
    with tempfile.TemporaryDirectory() as home, _opened(cluster.url("template_dagster"), Path(home)):
        pass
    end_sessions(cluster, "template_dagster")
    return "template_dagster"


@contextmanager
def _opened(url: str, home: Path) -> Iterator[dg.DagsterInstance]:
    home.mkdir(exist_ok=True)
    config = {"postgres_url": url}
    storage = {"custom": {"module": "emag_pipeline.dagster_runs.storage", "class": "Storage", "config": config}}
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides={"storage": storage})) as instance:
        yield instance
