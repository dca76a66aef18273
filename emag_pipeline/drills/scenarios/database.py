"""The database goes away in the middle, and comes back."""

import signal
from collections.abc import Callable

from emag_pipeline.drills.actions import Act, fault
from emag_pipeline.drills.runs import Ending, RunProcess
from emag_pipeline.drills.scenario import Expected, Scenario, Theme
from emag_pipeline.drills.stage import Stage

_RETRIES = "The step is tried 3 more times, after 5, 10 and 20 s; after that the next run resumes"


def _meanwhile(happens: Callable[[Stage, RunProcess], None]) -> Act:
    """Something happens when half of the pages are durable; the others come slowly."""

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
            produced="a fast stop and a start at once after 5 of 10 pages, Dagster's storage included",
            answer="Connects again and goes on; durable pages are not read again",
            lasts=_RETRIES,
            act=_meanwhile(_restart),
            alone=True,
        ),
        Scenario(
            name="database-away",
            fault="PostgreSQL is away for a while in the middle of a scan",
            produced="a fast stop after 5 of 10 pages, and a start 8 s later, Dagster's storage included",
            answer="Tries the step again, which resumes after the last durable page",
            lasts=_RETRIES,
            act=_meanwhile(_be_away),
            alone=True,
        ),
        Scenario(
            name="database-crashed",
            fault="PostgreSQL crashes in the middle of a scan",
            produced="an immediate stop and a start after 5 of 10 pages, Dagster's storage included",
            answer="The crash has emptied the unlogged staging: that is noticed, and what it took is read again",
            lasts="One more reading",
            act=_meanwhile(_crash),
            alone=True,
        ),
        Scenario(
            name="machine-rebooted",
            fault="The machine goes down in the middle of a scan",
            produced="kill -9 of the run after 5 of 10 pages, and an immediate stop of PostgreSQL",
            answer="The next run takes the lease over; staging is empty, so it reads anew",
            lasts="EMAG_SYNC_HEARTBEAT_TIMEOUT, or at once when the Dagster run is known to have ended",
            expected=Expected(-signal.SIGKILL, resumes=False),
            act=_meanwhile(_reboot),
            alone=True,
        ),
    ),
)
