"""`python -m emag_pipeline.dagster_runs.code_server api grpc …`: Dagster's code server, whose runs are forks.

Dagster starts a new interpreter for each run and loads the definitions again, which is most of a small run's work.
Here one process without threads, multiprocessing's fork server, imports once what every run uses (`preload`), and each
run is a fork of it. The fork server ends with the code server; runs do not.
"""

import multiprocessing
import sys
from types import SimpleNamespace

from dagster._cli import main as dagster
from dagster._grpc import server


def main() -> None:
    """Run `dagster` with the arguments of the command line."""
    # without these two, multiprocessing would execute the main module again in each child
    sys.modules["__main__"].__dict__.update(__spec__=None, __file__=None)
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["emag_pipeline.dagster_runs.preload"])
    server.multiprocessing = SimpleNamespace(get_context=lambda _: forking)  # type: ignore[assignment,attr-defined]
    sys.argv = ["dagster", *sys.argv[1:]]
    dagster()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
