"""Pages and counts that do not add up: absence of evidence is an error, never a shorter success."""

from emag_pipeline.operations.drills.actions import fault
from emag_pipeline.operations.drills.scenario import Expected, Scenario, Theme

_THREE = "3 readings of all pages"
_FAILS = "Reads all pages again, then fails and publishes nothing; the next run reads anew"
_AGAIN = "Reads all pages again"
_COUNT = "product_offer/count"


def _unproven(why: str) -> Expected:
    message = (
        f"main, sync …: the pages do not add up after 3 readings: {why}. Nothing was published; the next run reads "
        "anew, best at an hour with fewer changes."
    )
    return Expected(1, "ScanNotProven", message, rounds=3, resumes=False)


THEME = Theme(
    "Pages and counts",
    (
        Scenario(
            name="page-repeated-once",
            fault="A page shows another one's offers, once",
            produced="the first read of page 6 shows page 2",
            answer=_AGAIN,
            lasts=f"Up to {_THREE}",
            expected=Expected(rounds=2),
            arrange=fault("repeated_page", pages=[6], shows=2, count=1),
        ),
        Scenario(
            name="page-repeated-always",
            fault="A page shows another one's offers, always",
            produced="every read of page 6 shows page 2",
            answer=_FAILS,
            lasts=_THREE,
            expected=_unproven("100 rows show offers that another page had shown already"),
            arrange=fault("repeated_page", pages=[6], shows=2),
        ),
        Scenario(
            name="endless-pages",
            fault="Behind the last page there are ever more",
            produced="pages behind the last one show offers again",
            answer=_FAILS,
            lasts=_THREE,
            expected=_unproven("100 rows are shown behind the last page, from position … on: the count is too low"),
            arrange=fault("endless_pages"),
        ),
        Scenario(
            name="empty-page",
            fault="A page in the middle is empty",
            produced="every read of page 5 shows nothing",
            answer="Asks for each known offer that is missing by its id, reads all pages again, and publishes",
            lasts=f"One call an offer, up to {_THREE}",
            expected=Expected(rounds=2),
            arrange=fault("empty_page", pages=[5]),
        ),
        Scenario(
            name="empty-page-at-first",
            fault="A page in the middle is empty, and no offer is known yet",
            produced="every read of page 5 shows nothing, before the account's first publish",
            answer=_FAILS,
            lasts=_THREE,
            expected=_unproven("the marketplace counts 950 offers, the pages showed 850 different ones"),
            arrange=fault("empty_page", pages=[5]),
            first=True,
        ),
        Scenario(
            name="short-page",
            fault="A page in the middle shows fewer offers than it should",
            produced="every read of page 5 leaves out its last 3 offers",
            answer="Asks for each known offer that is missing by its id, reads all pages again, and publishes",
            lasts=f"One call an offer, up to {_THREE}",
            expected=Expected(rounds=2),
            arrange=fault("short_page", pages=[5], missing=3),
        ),
        Scenario(
            name="count-too-low",
            fault="The marketplace counts fewer offers than its pages show",
            produced="every count is 150 too low",
            answer=_FAILS,
            lasts=_THREE,
            expected=_unproven("100 rows are shown behind the last page, from position 800 on: the count is too low"),
            arrange=fault("count_lies", resource=_COUNT, difference=-150),
        ),
        Scenario(
            name="count-too-high",
            fault="The marketplace counts more offers than its pages show",
            produced="every count is 7 too high",
            answer=_FAILS,
            lasts=_THREE,
            expected=_unproven("the marketplace counts 957 offers, the pages showed 950 different ones"),
            arrange=fault("count_lies", resource=_COUNT, difference=7),
        ),
        Scenario(
            name="count-wrong-once",
            fault="A single count is wrong",
            produced="the first count is 7 too high",
            answer=_AGAIN,
            lasts=f"Up to {_THREE}",
            expected=Expected(rounds=2),
            arrange=fault("count_lies", resource=_COUNT, difference=7, count=1),
        ),
    ),
)
