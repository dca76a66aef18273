"""Wrong pages and counts: a scan that is not proven complete is an error, never a smaller success."""

from emag_pipeline.drills.actions import fault
from emag_pipeline.drills.scenario import Expected, Scenario, Theme

_FAILS = "Fails and publishes nothing; the next run starts from scratch"
_AROUND = "Reads the same positions with another page size and page numbers, and publishes"
_FEW = "About 15 more calls"
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
            fault="A page returns the offers of another page, once",
            produced="the first read of page 6 returns page 2",
            answer=_AROUND,
            lasts=_FEW,
            arrange=fault("repeated_page", pages=[6], shows=2, count=1),
        ),
        Scenario(
            name="page-repeated-always",
            fault="A page always returns the offers of another page",
            produced="every read of page 6 returns page 2",
            answer=_AROUND,
            lasts=_FEW,
            arrange=fault("repeated_page", pages=[6], shows=2),
        ),
        Scenario(
            name="endless-pages",
            fault="The pages never end",
            produced="pages after the last one return offers again",
            answer=_FAILS,
            lasts="Until the search for the end of the listing has failed",
            expected=_unproven("the pages do not end"),
            arrange=fault("endless_pages"),
        ),
        Scenario(
            name="empty-page",
            fault="A page in the middle is empty",
            produced="every read of page 5 returns no offers",
            answer=_AROUND,
            lasts=_FEW,
            arrange=fault("empty_page", pages=[5]),
        ),
        Scenario(
            name="empty-page-at-first",
            fault="A page in the middle is empty, and no offer is known yet",
            produced="every read of page 5 returns no offers, before the account's first publish",
            answer=_AROUND,
            lasts=_FEW,
            arrange=fault("empty_page", pages=[5]),
            first=True,
        ),
        Scenario(
            name="short-page",
            fault="A page in the middle returns too few offers",
            produced="every read of page 5 omits its last 3 offers",
            answer=_AROUND,
            lasts=_FEW,
            arrange=fault("short_page", pages=[5], missing=3),
        ),
        Scenario(
            name="count-too-low",
            fault="The marketplace's count is lower than the number of offers on its pages",
            produced="every count is 150 too low",
            answer="Continues to the end of the listing, and publishes",
            lasts="During the scan",
            arrange=fault("count_lies", resource=_COUNT, difference=-150),
        ),
        Scenario(
            name="count-too-high",
            fault="The marketplace's count is higher than the number of offers on its pages",
            produced="every count is 7 too high",
            answer="Publishes: overlapping windows prove that nothing is left out; the proof records the difference",
            lasts="During the scan; if offers are gone, its end is read once more; at a first publish, all pages",
            arrange=fault("count_lies", resource=_COUNT, difference=7),
        ),
        Scenario(
            name="count-wrong-once",
            fault="A single count is wrong",
            produced="the first count is 7 too high",
            answer="Publishes: overlapping windows, not the count, prove that nothing is left out",
            lasts="During the scan",
            arrange=fault("count_lies", resource=_COUNT, difference=7, count=1),
        ),
    ),
)
