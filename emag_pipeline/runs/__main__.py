"""`python -m emag_pipeline.runs ACCOUNT RUN_ID`: execute `refresh_offers` in this process, then the jobs of the marts.

It bypasses Dagster's queue: the lease in the ledger is what makes two writers impossible (design.md, section 6).
"""

import argparse
import os
import signal
import sys
from threading import Thread

import dagster as dg

from emag_pipeline.logs import logger
from emag_pipeline.runs import ANEW_TAG, REFRESH_JOB, exit_code, failure
from emag_pipeline.runs.executing import execute, refresh_marts

log = logger(__name__)


def main() -> int:
    """Execute one run for the account and under the run id of the command line.

    Prints what made it fail; of a run that succeeded, what made a mart fail, which does not change its exit code.
    """
    given = _arguments()
    if given.with_parent:
        Thread(target=_stop_with_parent, name="parent", daemon=True).start()
    tags = {ANEW_TAG: "true"} if given.anew else {}
    with dg.DagsterInstance.get() as instance:
        execute(instance, REFRESH_JOB, given.account, given.run_id, tags)
        code = exit_code(instance, given.run_id)
        sys.stdout.write(failure(instance, given.run_id) if code else _marts(instance, given.account))
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emag_pipeline.runs")
    parser.add_argument("account")
    parser.add_argument("run_id")
    parser.add_argument("--anew", action="store_true", help="read all pages, whatever an earlier sync has left")
    parser.add_argument(
        "--with-parent", action="store_true", help="stop when standard input ends: who started it is gone"
    )
    return parser.parse_args()


def _stop_with_parent() -> None:
    """A parent that was killed sends no signal, but what it held open is closed: nobody waits for this run any more."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _marts(instance: dg.DagsterInstance, account: str) -> str:
    """What made a mart fail, empty if nothing did; never an exception: what is published stays so."""
    try:
        return refresh_marts(instance, account)
    except Exception as error:
        log.exception("marts_not_refreshed", account=account)
        return f"{type(error).__name__}, see the log of this sync"


if __name__ == "__main__":
    sys.exit(main())
