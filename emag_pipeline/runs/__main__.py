"""`python -m emag_pipeline.runs ACCOUNT RUN_ID`: execute `refresh_offers` in this process, then the jobs of the marts.

It bypasses Dagster's queue: the lease in the ledger is what makes two writers impossible (design.md, section 6).
"""

import sys

import dagster as dg

from emag_pipeline.logs import logger
from emag_pipeline.runs import REFRESH_JOB, exit_code, failure
from emag_pipeline.runs.executing import execute, refresh_marts

log = logger(__name__)


def main() -> int:
    """Execute one run for the account and under the run id of the command line.

    Prints what made it fail; of a run that succeeded, what made a mart fail, which does not change its exit code.
    """
    account, run_id = sys.argv[1:]
    with dg.DagsterInstance.get() as instance:
        execute(instance, REFRESH_JOB, account, run_id)
        code = exit_code(instance, run_id)
        sys.stdout.write(failure(instance, run_id) if code else _marts(instance, account))
    return code


def _marts(instance: dg.DagsterInstance, account: str) -> str:
    """What made a mart fail, empty if nothing did; never an exception: what is published stays so."""
    try:
        return refresh_marts(instance, account)
    except Exception as error:
        log.exception("marts_not_refreshed", account=account)
        return f"{type(error).__name__}, see the log of this sync"


if __name__ == "__main__":
    sys.exit(main())
