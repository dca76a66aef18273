"""Stopping runs whose process is not on this machine: through the run launcher, which asks their code server."""

import contextlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Literal

import dagster as dg
from dagster._core.storage.tags import GRPC_INFO_TAG

from emag_pipeline.runs import ENDED
from emag_pipeline.runs.instance import Instance

#: What became of a run's process: none was there, it obeyed, it was killed, or nobody could reach it.
Process = Literal["none", "stopped", "killed", "unreachable"]

_LOOK_SECONDS = 0.2
_NOT_LAUNCHED = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)


def stop_elsewhere(instance: Instance, runs: Sequence[dg.DagsterRun], seconds: float) -> dict[str, Process]:
    """Ask for the end of all runs at once and wait for it, at most so long. Returns what became of each."""
    launched = [run for run in runs if not _has_no_process(run)]
    if not launched:
        return {run.run_id: "none" for run in runs}
    until = time.monotonic() + seconds
    pool = ThreadPoolExecutor(len(launched))
    asked = {run.run_id: pool.submit(_ask, instance, run) for run in launched}
    wait(asked.values(), seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    obeying = {run_id for run_id, answer in asked.items() if answer.done() and answer.result()}
    ended = _wait_for_end(instance, obeying, until)
    return {run.run_id: _fate(run, run.run_id in ended) for run in runs}


def _ask(instance: Instance, run: dg.DagsterRun) -> bool:
    """Whether the launcher has told the process to stop. A code server that is gone makes it raise."""
    if isinstance(instance.run_launcher, dg.DefaultRunLauncher) and GRPC_INFO_TAG not in run.tags:
        return False  # no code server has launched it: `emag-pipeline sync` did, or nobody yet
    with contextlib.suppress(Exception):
        return bool(instance.run_launcher.terminate(run.run_id))
    return False


def _wait_for_end(instance: Instance, run_ids: set[str], until: float) -> set[str]:
    ended: set[str] = set()
    while True:
        ended |= {one for one in run_ids - ended if (run := instance.get_run_by_id(one)) is None or run.status in ENDED}
        if ended == run_ids or time.monotonic() >= until:
            return ended
        time.sleep(_LOOK_SECONDS)


def _fate(run: dg.DagsterRun, has_ended: bool) -> Process:
    if has_ended:
        return "stopped"
    return "none" if run.status in _NOT_LAUNCHED or _is_of_this_machine(run) else "unreachable"


def _has_no_process(run: dg.DagsterRun) -> bool:
    """It was not launched yet; or it was on this machine, where none was found. One that is starting may have one."""
    return run.status in _NOT_LAUNCHED or (run.status != dg.DagsterRunStatus.STARTING and _is_of_this_machine(run))


def _is_of_this_machine(run: dg.DagsterRun) -> bool:
    """Its code server listens on this machine only."""
    address = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    return "socket" in address or address.get("host") in ("localhost", "127.0.0.1")
