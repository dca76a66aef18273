"""Runs that are killed, are asked to stop, or compete for an account."""

import signal

from emag_pipeline.drills.actions import Act, fault
from emag_pipeline.drills.runs import Ending
from emag_pipeline.drills.scenario import Expected, Scenario, Theme
from emag_pipeline.drills.stage import Stage
from emag_pipeline.errors import TransientError

_LAST = 11  # the page after the last one


def _signalled(number: signal.Signals, pages: int) -> Act:
    """Send a run a signal once this many pages are durable; later pages hang."""

    def act(stage: Stage) -> Ending:
        fault("hang", pages=list(range(pages + 1, _LAST + 1)))(stage)
        run = stage.start()
        stage.wait_for_pages(run, pages)
        run.process.send_signal(number)
        return stage.end_of(run)

    return act


def _two_runs(stage: Stage) -> Ending:
    """The second of two runs; the first one continues slowly."""
    first = stage.start({"EMAG_API_REQUESTS_PER_SECOND": "0.25"})
    stage.wait_for_pages(first, 1)
    return stage.run()


def _let_the_first_end(stage: Stage) -> None:
    ending = stage.end_of(stage.runs[0])
    if ending.exit_code:
        raise TransientError("the first of two runs did not publish", why=ending.said)


_UNTIL_DEAD = (
    "At once on the same machine, or if Dagster knows that the run has ended; else EMAG_SYNC_HEARTBEAT_TIMEOUT"
)
_RESUMES = "The next run takes over the lease and resumes after the last durable page"

THEME = Theme(
    "Processes",
    (
        Scenario(
            name="killed-at-30-percent",
            fault="The run is killed early in the scan",
            produced="kill -9 after 3 of 10 pages",
            answer=_RESUMES,
            lasts=_UNTIL_DEAD,
            expected=Expected(-signal.SIGKILL, resumes=True),
            act=_signalled(signal.SIGKILL, 3),
        ),
        Scenario(
            name="killed-at-80-percent",
            fault="The run is killed late in the scan",
            produced="kill -9 after 8 of 10 pages",
            answer=_RESUMES,
            lasts=_UNTIL_DEAD,
            expected=Expected(-signal.SIGKILL, resumes=True),
            act=_signalled(signal.SIGKILL, 8),
        ),
        Scenario(
            name="told-to-stop",
            fault="SIGTERM, Ctrl-C or Terminate in the UI while calls are under way",
            produced="SIGTERM after 4 of 10 pages, while all calls hang",
            answer="Stops, releases the lease and records it in the ledger (status `cancelled`); "
            "the next run resumes after the last durable page",
            lasts="Within 5 s",
            expected=Expected(
                130,
                "Interrupted",
                "main, sync …: interrupted: it was told to stop. No action needed: the next run continues after the "
                "last durable page.",
                resumes=True,
            ),
            act=_signalled(signal.SIGTERM, 4),
        ),
        Scenario(
            name="two-runs-at-once",
            fault="A second run starts while another one is in progress",
            produced="a run is started while another one scans",
            answer="The second one stops without an alert, the first one continues",
            lasts="At once",
            expected=Expected(
                4,
                "AnotherSyncRunning",
                "main: another sync is running: the lease belongs to sync … (Dagster run …). Wait for it to end, or "
                "check `emag-pipeline status`.",
            ),
            act=_two_runs,
            repair=_let_the_first_end,
            variables={"EMAG_SYNC_HEARTBEAT_TIMEOUT": "60"},
            long=True,
        ),
    ),
)
