"""Limits of the pipeline itself, which end a sync before it does harm."""

from emag_pipeline.drills.actions import calls, fault
from emag_pipeline.drills.scenario import Expected, Scenario, Theme

THEME = Theme(
    "Bounds",
    (
        Scenario(
            name="page-bound",
            fault="The catalogue has more pages than EMAG_SYNC_MAX_PAGES",
            produced="10 pages with a limit of 5; the limit is 15 for the next run",
            answer="Stops before the first page is read",
            lasts="At once, after one call",
            expected=Expected(
                5,
                "PageBoundExceeded",
                "main: the catalogue has 950 offers = 10 pages, EMAG_SYNC_MAX_PAGES is 5: nothing was read. Set it to "
                "15 or more, which leaves room for 5 more pages.",
            ),
            look=calls(0, "product_offer/read"),
            variables={"EMAG_SYNC_MAX_PAGES": "5"},
            repaired_variables={"EMAG_SYNC_MAX_PAGES": "15"},
        ),
        Scenario(
            name="deadline-passed",
            fault="The sync's time runs out before its pages are read",
            produced="EMAG_SYNC_TIMEOUT_HOURS is 0.001 (3.6 s), pages 4 and later take 20 s",
            answer="Fails (status `timeout`); the next run starts a new sync",
            lasts="EMAG_SYNC_TIMEOUT_HOURS over all attempts",
            expected=Expected(
                1,
                "SyncTimedOut",
                "main, sync …: the sync reached its time limit: EMAG_SYNC_TIMEOUT_HOURS is 0.001. The next run begins "
                "a new sync; raise the limit if the catalogue needs more time.",
                resumes=False,
            ),
            arrange=fault("slow", pages=list(range(4, 12)), seconds=20.0),
            variables={"EMAG_SYNC_TIMEOUT_HOURS": "0.001"},
            repaired_variables={"EMAG_SYNC_TIMEOUT_HOURS": "2"},
        ),
    ),
)
