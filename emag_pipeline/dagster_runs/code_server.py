"""`python -m emag_pipeline.dagster_runs.code_server api grpc …`: Dagster's code server, whose runs are forks.

Dagster starts a new interpreter for each run and loads the definitions again, which is most of a small run's work.
Here one process without threads, multiprocessing's fork server, imports this module and with it, once, what every run
uses; each run is a fork of it. The fork server ends with the code server; runs do not.
"""

import importlib
import multiprocessing
import os
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

from emag_pipeline.processes import RUN

_MODULE = "emag_pipeline.dagster_runs.code_server"
#: The definitions, and modules that Dagster imports lazily.
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


def main() -> None:
    """Run `dagster` with the arguments of the command line."""
    from dagster._cli import main as dagster  # imported here: runs do not need it
    from dagster._grpc import server

    # without these two, multiprocessing would execute the main module again in each child
    sys.modules["__main__"].__dict__.update(__spec__=None, __file__=None)
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload([_MODULE])
    server.multiprocessing = SimpleNamespace(get_context=lambda _: forking)  # type: ignore[assignment,attr-defined]
    sys.argv = ["dagster", *sys.argv[1:]]
    dagster()  # type: ignore[no-untyped-call]


def _prepare_runs() -> None:
    """Load what every run uses, and give each fork a run's name in the process table.

    If definitions do not load, the code server reports that and starts no runs; other missing modules are loaded by
    the run that needs them.
    """
    for name in _USED_BY_RUNS:
        with suppress(Exception):
            importlib.import_module(name)
    os.register_at_fork(after_in_child=_take_name)


def _take_name() -> None:
    with suppress(OSError):  # a system without it
        Path("/proc/self/comm").write_text(RUN)


if __name__ == "__main__":
    main()
elif __name__ == _MODULE:  # in the fork server
    _prepare_runs()
