"""The database becomes unreachable during a scan, and recovers."""

import signal
from collections.abc import Callable

from emag_pipeline.drills.actions import Act, fault
from emag_pipeline.drills.runs import Ending, RunProcess
from emag_pipeline.drills.scenario import Expected, Scenario, Theme
from emag_pipeline.drills.stage import Stage

_RETRIES = "The step is retried 3 times, after 5, 10 and 20 s; after that the next run resumes"


def _meanwhile(happens: Callable[[Stage, RunProcess], None]) -> Act:
    """Cause an event once half of the pages are durable; the others are slow."""

    def act(stage: Stage) -> Ending:
        fault("slow", pages=list(range(6, 12)), seconds=3.0)(stage)
        run = stage.start()
        stage.wait_for_pages(run, 5)
        happens(stage, run)
        return stage.end_of(run)

    return act


def _restart(stage: Stage, _: RunProcess) -> None:
    stage.scratch.restart()


def _be_away(stage: Stage, _: RunProcess) -> None:
    stage.scratch.restart(after_seconds=8.0)


def _crash(stage: Stage, _: RunProcess) -> None:
    stage.scratch.crash()


def _reboot(stage: Stage, run: RunProcess) -> None:
    run.kill()
    stage.scratch.crash()


THEME = Theme(
    "Database",
    (
        Scenario(
            name="database-restarted",
            fault="PostgreSQL is restarted in the middle of a scan",
            produced="a fast stop and an immediate start after 5 of 10 pages, Dagster's storage included",
            answer="Reconnects and continues; durable pages are not read again",
            lasts=_RETRIES,
            act=_meanwhile(_restart),
            alone=True,
        ),
        Scenario(
            name="database-away",
            fault="PostgreSQL is unreachable for a while in the middle of a scan",
            produced="a fast stop after 5 of 10 pages, and a start 8 s later, Dagster's storage included",
            answer="Retries the step, which resumes after the last durable page",
            lasts=_RETRIES,
            act=_meanwhile(_be_away),
            alone=True,
        ),
        Scenario(
            name="database-crashed",
            fault="PostgreSQL crashes in the middle of a scan",
            produced="an immediate stop and a start after 5 of 10 pages, Dagster's storage included",
            answer="The crash has emptied the unlogged staging tables; the lost pages are detected and read again",
            lasts="One more reading",
            act=_meanwhile(_crash),
            alone=True,
        ),
        Scenario(
            name="machine-rebooted",
            fault="The machine goes down in the middle of a scan",
            produced="kill -9 of the run after 5 of 10 pages, and an immediate stop of PostgreSQL",
            answer="The next run takes over the lease; staging is empty, so it starts from scratch",
            lasts="EMAG_SYNC_HEARTBEAT_TIMEOUT, or at once if the Dagster run is known to have ended",
            expected=Expected(-signal.SIGKILL, resumes=False),
            act=_meanwhile(_reboot),
            alone=True,
        ),
    ),
)
