"""The catalogue moves while it is read: offers slip from page to page, past the reader or before it twice."""

from emag_pipeline.drills.actions import all_of, fault
from emag_pipeline.drills.scenario import Expected, Scenario, Theme

_DEPARTURE = fault("drift", pages=[4], count=1, change="departure")
_ARRIVAL = fault("drift", pages=[7], count=1, change="arrival")
# Nothing is read beside the first two pages: so the departure comes first on the busiest machine, and what departs is
# not what has just arrived.
_BOTH = all_of(fault("drift", pages=[2], count=1, change="departure"), _ARRIVAL)
_LASTS = "The scan: nothing is read again"
_JOIN = "Overlapping windows show that nothing lies between them"

THEME = Theme(
    "Drift",
    (
        Scenario(
            name="departure-meanwhile",
            fault="An offer departs while pages are read: another one slips past the reader",
            produced="before page 4 is shown, the first offer departs",
            answer=f"{_JOIN}; it publishes the departed one as it was read, and the next refresh asks for it by its id",
            lasts=_LASTS,
            expected=Expected(deleted=1),
            arrange=_DEPARTURE,
            again=True,
        ),
        Scenario(
            name="arrival-meanwhile",
            fault="An offer arrives in front while pages are read: others are shown twice",
            produced="before page 7 is shown, an offer arrives in front of all",
            answer=f"{_JOIN}; the next refresh shows the new one",
            lasts=_LASTS,
            expected=Expected(altered=1),
            arrange=_ARRIVAL,
            again=True,
        ),
        Scenario(
            name="departure-and-arrival",
            fault="An offer departs and another arrives: the counts are equal again",
            produced="before page 2 the first offer departs, before page 7 one arrives in front",
            answer=f"{_JOIN}; the next refresh asks for the departed one by its id and shows the new one",
            lasts=_LASTS,
            expected=Expected(altered=1, deleted=1),
            arrange=_BOTH,
            again=True,
        ),
        Scenario(
            name="departure-and-arrival-at-first",
            fault="The same before the account's first publish, where no missing offer is known",
            produced="the same, on an empty database",
            answer=f"{_JOIN}; it reads the head of the listing once more, and the next refresh asks for the departed "
            "one by its id",
            lasts=_LASTS,
            expected=Expected(deleted=1),
            arrange=_BOTH,
            first=True,
            again=True,
        ),
    ),
)
