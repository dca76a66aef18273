"""`python -m emag_pipeline.local.run ACCOUNT RUN_ID`: execute `refresh_offers` in this process, then what follows it.

It bypasses Dagster's queue: the lease in the ledger prevents two writers. After a publish, even if the run failed
later, it reads the reference data if that is missing or old, and computes the marts, whose prices with VAT need it.
"""

from emag_pipeline import loading  # noqa: F401 - must be first; `definitions`, which a run imports, ends it

# isort: split
import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import NoReturn

import dagster as dg

from emag_pipeline import process_end
from emag_pipeline.dagster_runs import ANEW_TAG, REFERENCE_JOB, REFRESH_JOB, exit_code, failure
from emag_pipeline.dagster_runs.executing import Outcome, execute, outcome_after_publish, refresh_marts
from emag_pipeline.databases import attached
from emag_pipeline.errors import Interrupted, PipelineError
from emag_pipeline.logs import logger
from emag_pipeline.logs.repeats import tell_held
from emag_pipeline.process_end import end_in_time
from emag_pipeline.reference.read import is_old, read_last
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.settings.home import claim
from emag_pipeline.sync.ledger import SyncStatus
from emag_pipeline.sync.status import sync_progress

log = logger(__name__)

_STDOUT = 1
#: How long to wait for another process that reads reference data; reading it twice only costs calls.
_PATIENCE_SECONDS, _LOOK_SECONDS = 300.0, 0.2
_NOTHING_BEGUN = "{signal} before it had begun; the next sync continues"
_BEGUN = "{signal}; `emag-pipeline status` shows its state, the next sync continues"
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
    #: the message for a signal that Dagster does not handle, before its run and between two runs
    left = [_NOTHING_BEGUN]
    process_end.end_by(process_end.SIGNALS, _STDOUT, lambda number: left[0].format(signal=process_end.name(number)))
    with dg.DagsterInstance.get() as instance:
        begun = partial(left.__setitem__, 0, _BEGUN)
        execute(instance, REFRESH_JOB, given.account, given.run_id, tags, begun)
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
        for number in process_end.SIGNALS:  # all work is done; only the report is left
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
    """Stop when the parent has ended: a killed parent sends no signal, but its end of standard input is closed."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    process_end.note("`emag-pipeline sync`, which had started it, was killed or ended without notice")
    os.kill(os.getpid(), signal.SIGTERM)


def _say(text: str) -> None:
    with suppress(OSError):  # the reader is gone; the exit code is enough
        sys.stdout.write(text)
        sys.stdout.flush()


def _is_published(account: str, run_id: str) -> bool:
    try:
        with attached(load_settings()) as database:
            sync = sync_progress(database, account, run_id)
    except PipelineError:  # unknown: use the run's own message
        return False
    return sync is not None and sync.status is SyncStatus.COMPLETED


def _reference(instance: dg.DagsterInstance, account: str) -> Outcome:
    """How the read of reference data ended, if one was due; never raises."""
    try:
        return refresh_reference_if_old(instance, load_settings(), account) or Outcome(0, "")
    except PipelineError as error:
        return Outcome(error.exit_code, str(error))
    except Exception as error:
        log.exception("reference_not_refreshed", account=account)
        return Outcome(1, f"{type(error).__name__}, see the log of this sync")


def _marts(instance: dg.DagsterInstance, account: str) -> list[Outcome]:
    """How the marts' jobs ended; never raises, since the publish is not affected."""
    try:
        return refresh_marts(instance, account)
    except Exception as error:
        log.exception("marts_not_refreshed", account=account)
        return [Outcome(1, f"{type(error).__name__}, see the log of this sync")]


def refresh_reference_if_old(instance: dg.DagsterInstance, settings: Settings, account: str) -> Outcome | None:
    """Read the reference data of the account's marketplace in this process, by the same job as the schedule.

    None if it is recent enough. One process of this EMAG_HOME reads, the others wait for it.
    """
    marketplace = settings.account(account).marketplace.name
    if not _is_reference_due(settings, marketplace):
        return None
    with _alone(claim(settings.home) / "reference.lock"):
        if not _is_reference_due(settings, marketplace):
            return None
        run_id = execute(instance, REFERENCE_JOB, marketplace)
    return outcome_after_publish(instance, run_id)


def _is_reference_due(settings: Settings, marketplace: str) -> bool:
    with attached(settings) as database:
        return is_old(read_last(database, marketplace), settings)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """A lock that is released when its process ends; a hanging process blocks others only for minutes."""
    until = time.monotonic() + _PATIENCE_SECONDS
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    break
                time.sleep(_LOOK_SECONDS)
        yield


def _leave(code: int) -> NoReturn:
    """Exit at once: tearing down Dagster's modules takes a second, or several on a busy machine (G12)."""
    tell_held()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
