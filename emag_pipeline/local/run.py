"""`python -m emag_pipeline.local.run ACCOUNT RUN_ID`: execute `refresh_offers` in this process, then what follows it.

It bypasses Dagster's queue: the lease in the ledger is what makes two writers impossible. After a publish it reads the
reference data, where that is missing or old, and computes the marts, whose prices with VAT depend on it; also where the
run failed after the publish.
"""

from emag_pipeline import loading  # noqa: F401 - first: `definitions`, which a run loads, end it

# isort: split
import argparse
import os
import signal
import sys
from contextlib import closing, suppress
from functools import partial
from threading import Event, Thread
from typing import NoReturn

import dagster as dg

from emag_pipeline import process_end
from emag_pipeline.charts import canvas
from emag_pipeline.dagster_runs import ANEW_TAG, REFRESH_JOB, exit_code, failure
from emag_pipeline.dagster_runs.executing import Outcome, execute, outcome_after_publish, refresh_marts
from emag_pipeline.databases import as_it_stands, attached
from emag_pipeline.errors import Interrupted, PipelineError
from emag_pipeline.logs import logger
from emag_pipeline.logs.repeats import tell_held
from emag_pipeline.process_end import end_in_time
from emag_pipeline.reference.due import refresh_reference_if_old
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.ledger import last_count
from emag_pipeline.sync.status import sync_progress

log = logger(__name__)

_STDOUT = 1
#: With more offers than this, Matplotlib's 40 MB would stay in memory beside a long scan.
_LARGE = 100_000
#: By then the marketplace has counted the offers; and how long the database may take to return the count.
_COUNTED_SECONDS, _LOOK_SECONDS = 1.0, 5.0
_NOTHING_BEGUN = "{signal} before it had begun; the next sync goes on"
_BEGUN = "{signal}; `emag-pipeline status` tells what became of it, the next sync goes on"
_NOT_COMPUTED = "not all of its marts and checks were computed"


def main() -> int:
    """Execute one run for the account and under the run id of the command line. Returns the exit code.

    Prints what made it fail; after a publish, a line for each later step that failed, which the code covers too.
    """
    given = _arguments()
    end_in_time()
    if given.with_parent:
        Thread(target=_stop_with_parent, name="parent", daemon=True).start()
    tags = {ANEW_TAG: "true"} if given.anew else {}
    #: what to say of a signal that Dagster does not handle, before its run and between two of them
    left = [_NOTHING_BEGUN]
    process_end.end_by(process_end.SIGNALS, _STDOUT, lambda number: left[0].format(signal=process_end.name(number)))
    with dg.DagsterInstance.get() as instance:
        begun = partial(left.__setitem__, 0, _BEGUN)
        is_over = Event()
        Thread(target=_load_charts, args=(given.account, is_over), name="charts", daemon=True).start()
        execute(instance, REFRESH_JOB, given.account, given.run_id, tags, begun)
        is_over.set()
        code = exit_code(instance, given.run_id)
        if code and not _is_published(given.account, given.run_id):
            _say(failure(instance, given.run_id))
            return code
        left[0] = f"{_NOT_COMPUTED}: it was {{signal}}"
        checks = outcome_after_publish(instance, given.run_id)
        reference = _reference(instance, given.account) if code != Interrupted.exit_code else checks
        if reference.code == Interrupted.exit_code:
            _say(f"{_NOT_COMPUTED}: it was interrupted")
            return reference.code
        marts = _marts(instance, given.account)
        for number in process_end.SIGNALS:  # everything is done and only has to be reported
            signal.signal(number, signal.SIG_IGN)
    computed = [end.said for end in (checks, *marts) if end.said]
    if computed:
        _say(f"{_NOT_COMPUTED}: {'; '.join(dict.fromkeys(computed))}\n")
    if reference.said:
        _say(f"the reference data of its marketplace was not read: {reference.said}\n")
    return max(end.code for end in (checks, reference, *marts))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emag_pipeline.local.run")
    parser.add_argument("account")
    parser.add_argument("run_id")
    parser.add_argument("--anew", action="store_true", help="read all pages, whatever an earlier sync has left")
    parser.add_argument("--with-parent", action="store_true", help="stop when standard input ends: its parent is gone")
    return parser.parse_args()


def _stop_with_parent() -> None:
    """A parent that was killed sends no signal, but what it held open is closed: nobody waits for this run any more."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    process_end.note("`emag-pipeline sync`, which had started it, was killed or ended without notice")
    os.kill(os.getpid(), signal.SIGTERM)


def _load_charts(account: str, is_over: Event) -> None:
    """Load what the marts draw with while pages are waited for; of a large account, when its refresh is over."""
    with suppress(Exception):  # whoever draws reports that it cannot be loaded
        if not is_over.wait(_COUNTED_SECONDS) and _offers(account) > _LARGE:
            is_over.wait()
        canvas.load()


def _offers(account: str) -> int:
    with closing(as_it_stands(load_settings(), most_seconds=_LOOK_SECONDS)) as database:
        return last_count(database, account) or 0


def _say(text: str) -> None:
    with suppress(OSError):  # nobody reads there any more: the exit code remains
        sys.stdout.write(text)
        sys.stdout.flush()


def _is_published(account: str, run_id: str) -> bool:
    try:
        with attached(load_settings()) as database:
            sync = sync_progress(database, account, run_id)
    except PipelineError:  # unknown: the run's own words count
        return False
    return sync is not None and sync.status == "completed"


def _reference(instance: dg.DagsterInstance, account: str) -> Outcome:
    """How the read of reference data ended, if one was due; never an exception."""
    try:
        return refresh_reference_if_old(instance, load_settings(), account) or Outcome(0, "")
    except PipelineError as error:
        return Outcome(error.exit_code, str(error))
    except Exception as error:
        log.exception("reference_not_refreshed", account=account)
        return Outcome(1, f"{type(error).__name__}, see the log of this sync")


def _marts(instance: dg.DagsterInstance, account: str) -> list[Outcome]:
    """How the marts' jobs ended; never an exception: what is published stays so."""
    try:
        return refresh_marts(instance, account)
    except Exception as error:
        log.exception("marts_not_refreshed", account=account)
        return [Outcome(1, f"{type(error).__name__}, see the log of this sync")]


def _leave(code: int) -> NoReturn:
    """End at once: tearing down Dagster's modules takes a second, and several on a busy machine (G12)."""
    tell_held()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
