"""Runs in processes of their own that die by SIGKILL, wherever they are.

Forked from a server that has imported everything: a story kills dozens of runs, and each run of the real job
(`drills.runs`, which promises and drills kill) takes seconds to start. What dies is the same code without Dagster.
"""

import multiprocessing
import time
from collections.abc import Callable
from contextlib import suppress

from emag_pipeline.errors import PipelineError
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.sync.refresh import context_for
from emag_pipeline_tests.sync.syncs import rows

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload([__name__])
_BUSY = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND state <> 'idle'
      AND pid <> pg_backend_pid()
"""


def _refresh(database_url: str, market_url: str, environ: dict[str, str]) -> None:
    run = context_for(Database(database_url), market_url, run_ended=True, **environ)
    with suppress(PipelineError):  # it is recorded in the ledger
        stage_account(run)
        if audit_scan(run).accepted:
            publish_scan(run)


def run_and_kill(
    database: Database, database_url: str, market_url: str, environ: dict[str, str], may_die: Callable[[], bool]
) -> None:
    """Refresh in a process of its own; kill -9 it as soon as `may_die` says so, if it is still there."""
    process = _PROCESSES.Process(target=_refresh, args=(database_url, market_url, environ))
    process.start()
    give_up = time.monotonic() + 10
    while process.is_alive() and not may_die() and time.monotonic() < give_up:
        time.sleep(0.005)
    process.kill()
    process.join()
    process.close()
    _until_idle(database)


def _until_idle(database: Database) -> None:
    """The server notices a dead client when its statement is over; until then it may still commit."""
    give_up = time.monotonic() + 10
    while rows(database, _BUSY):
        assert time.monotonic() < give_up, "a statement of the killed process does not end"
        time.sleep(0.01)
