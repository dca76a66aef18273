"""What the fork server of `dagster_runs.code_server` loads before the first run, whose processes are its forks.

All that every run uses, so that none of them loads it: definitions, what Dagster loads where it first needs it, what
writes pages. Where the definitions cannot be loaded nothing is said: the code server says it, and starts no
runs. What is missing among the rest is loaded by whoever needs it.
"""

import contextlib
import importlib
import os
from pathlib import Path

from emag_pipeline.processes import RUN

_USED = (
    "emag_pipeline.definitions",  # by name: they stand above this module
    "emag_pipeline.dagster_runs.storage",
    "dagster._core.executor.in_process",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.workspace.autodiscovery",
    "fsspec.implementations.local",
    "jinja2",
    "psycopg2.extras",
    "upath.implementations.local",
)

for _name in _USED:
    with contextlib.suppress(Exception):
        importlib.import_module(_name)


def _take_name() -> None:
    with contextlib.suppress(OSError):  # a system without it
        Path("/proc/self/comm").write_text(RUN)


os.register_at_fork(after_in_child=_take_name)
