"""`python -m emag_pipeline.local.backfill_run FROM TO ACCOUNT=FIRST…`: `refresh_daily_assortment`
for each day and account, from the account's first day on.

A line for each: `DAY ACCOUNT EXIT_CODE`, and behind it what failed. It ends with the first failure.
"""

import sys
from datetime import date, timedelta

import dagster as dg

from emag_pipeline.dagster_runs import ASSORTMENT_JOB, exit_code, failure
from emag_pipeline.dagster_runs.executing import execute


def main() -> int:
    """Execute the runs that the command line asks for, the oldest day first. Returns the exit code of the last one."""
    first, last = (date.fromisoformat(text) for text in sys.argv[1:3])
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    begins = [(account, date.fromisoformat(text)) for account, _, text in (one.partition("=") for one in sys.argv[3:])]
    with dg.DagsterInstance.get() as instance:
        for day in days:
            for account in [account for account, begin in begins if begin <= day]:
                code = _compute(instance, account, day)
                if code != 0:
                    return code
    return 0


def _compute(instance: dg.DagsterInstance, account: str, day: date) -> int:
    run_id = execute(instance, ASSORTMENT_JOB, dg.MultiPartitionKey({"account": account, "day": day.isoformat()}))
    code = exit_code(instance, run_id)
    sys.stdout.write(f"{day} {account} {code} {failure(instance, run_id)}\n")
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
