"""`python -m emag_pipeline.dagster_runs.code_server api grpc …`: Dagster's code server, whose runs are forks.

Dagster spawns a new interpreter for each run, which loads the definitions anew: most of a small run's work. Here one
process without threads, multiprocessing's fork server, loads them once (`dagster_runs.forked`), and each run is a fork
of it. It ends with the code server; runs do not.
"""

import multiprocessing
import sys
from types import SimpleNamespace

from dagster._cli import main as dagster
from dagster._grpc import server


def main() -> None:
    """Become the `dagster` that the command line describes."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["emag_pipeline.dagster_runs.forked"])
    server.multiprocessing = SimpleNamespace(get_context=lambda _: forking)  # type: ignore[assignment,attr-defined]
    sys.argv = ["dagster", *sys.argv[1:]]
    dagster()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
