"""What multiprocessing's fork server imports before it forks runs. For it alone: importing this module does the work.

If definitions do not load, the code server reports that and starts no runs; other missing modules are loaded by the run
that needs them.
"""

import importlib
import os
from contextlib import suppress
from pathlib import Path

from emag_pipeline.processes import RUN

#: What every run uses: the definitions, and modules that Dagster imports lazily.
_USED_BY_RUNS = (
    "emag_pipeline.definitions",  # by name: this module is below them in the layers
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


def _take_name() -> None:
    """Give a fork a run's name in the process table."""
    with suppress(OSError):  # a system without it
        Path("/proc/self/comm").write_text(RUN)


for _name in _USED_BY_RUNS:
    with suppress(Exception):
        importlib.import_module(_name)
os.register_at_fork(after_in_child=_take_name)
