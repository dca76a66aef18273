"""Pages and counts that do not add up: absence of evidence is an error, never a shorter success."""

from emag_pipeline.drills.actions import fault
from emag_pipeline.drills.scenario import Expected, Scenario, Theme

_FAILS = "Fails and publishes nothing; the next run starts from scratch"
_AROUND = "Reads the same positions on pages of other numbers, and publishes"
_FEW = "Some 15 more calls"
_COUNT = "product_offer/count"


def _unproven(why: str) -> Expected:
    message = (
        f"main, sync …: the scan cannot be proven complete: {why}: seen at position …; the marketplace counts 950 "
        "offers, … were seen. Nothing was published; the next run starts from scratch; raise EMAG_SYNC_MAX_PAGES (100) "
        "if the "
        "catalogue is larger."
    )
    return Expected(1, "ScanNotProven", message, resumes=False)


THEME = Theme(
    "Pages and counts",
    (
        Scenario(
            name="page-repeated-once",
            fault="A page shows another one's offers, once",
            produced="the first read of page 6 shows page 2",
            answer=_AROUND,
            lasts=_FEW,
            arrange=fault("repeated_page", pages=[6], shows=2, count=1),
        ),
        Scenario(
            name="page-repeated-always",
            fault="A page shows another one's offers, always",
            produced="every read of page 6 shows page 2",
            answer=_AROUND,
            lasts=_FEW,
            arrange=fault("repeated_page", pages=[6], shows=2),
        ),
        Scenario(
            name="endless-pages",
            fault="Behind the last page there are ever more",
            produced="pages behind the last one show offers again",
            answer=_FAILS,
            lasts="Until the end of the listing was looked for",
            expected=_unproven("the pages do not end"),
            arrange=fault("endless_pages"),
        ),
        Scenario(
            name="empty-page",
            fault="A page in the middle is empty",
            produced="every read of page 5 shows nothing",
            answer=_AROUND,
            lasts=_FEW,
            arrange=fault("empty_page", pages=[5]),
        ),
        Scenario(
            name="empty-page-at-first",
            fault="A page in the middle is empty, and no offer is known yet",
            produced="every read of page 5 shows nothing, before the account's first publish",
            answer=_AROUND,
            lasts=_FEW,
            arrange=fault("empty_page", pages=[5]),
            first=True,
        ),
        Scenario(
            name="short-page",
            fault="A page in the middle shows fewer offers than it should",
            produced="every read of page 5 leaves out its last 3 offers",
            answer=_AROUND,
            lasts=_FEW,
            arrange=fault("short_page", pages=[5], missing=3),
        ),
        Scenario(
            name="count-too-low",
            fault="The marketplace counts fewer offers than its pages show",
            produced="every count is 150 too low",
            answer="Reads on to the end of the listing, and publishes",
            lasts="The scan",
            arrange=fault("count_lies", resource=_COUNT, difference=-150),
        ),
        Scenario(
            name="count-too-high",
            fault="The marketplace counts more offers than its pages show",
            produced="every count is 7 too high",
            answer="Publishes: the windows prove that nothing is left out, and the proof names what the count leaves",
            lasts="The scan; if offers are gone, its end once more; at a first publish, all pages",
            arrange=fault("count_lies", resource=_COUNT, difference=7),
        ),
        Scenario(
            name="count-wrong-once",
            fault="A single count is wrong",
            produced="the first count is 7 too high",
            answer="Publishes: windows prove that nothing is left out, and not a count",
            lasts="The scan",
            arrange=fault("count_lies", resource=_COUNT, difference=7, count=1),
        ),
    ),
)
