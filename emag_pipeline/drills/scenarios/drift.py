"""The catalogue changes during a scan: offers move between pages, so that one is missed or returned twice."""

from emag_pipeline.drills.actions import all_of, fault
from emag_pipeline.drills.scenario import Expected, Scenario, Theme

_DEPARTURE = fault("drift", pages=[4], count=1, change="departure")
_ARRIVAL = fault("drift", pages=[7], count=1, change="arrival")
# No other page is read concurrently with the first two, so the departure always comes before the arrival, and the
# offer that departs is not the one that has just arrived.
_BOTH = all_of(fault("drift", pages=[2], count=1, change="departure"), _ARRIVAL)
_LASTS = "During the scan; nothing is read again"
_JOIN = "Overlapping windows prove that no offer was missed between them"

THEME = Theme(
    "Drift",
    (
        Scenario(
            name="departure-meanwhile",
            fault="An offer is removed while pages are read, so that another one moves to a page already read",
            produced="before page 4 is returned, the first offer is removed",
            answer=f"{_JOIN}; the removed offer is published as it was read, and the next refresh asks for it by id",
            lasts=_LASTS,
            expected=Expected(deleted=1),
            arrange=_DEPARTURE,
            again=True,
        ),
        Scenario(
            name="arrival-meanwhile",
            fault="An offer is added in front while pages are read, so that others are returned twice",
            produced="before page 7 is returned, an offer is added in front of all others",
            answer=f"{_JOIN}; the next refresh publishes the new offer",
            lasts=_LASTS,
            expected=Expected(altered=1),
            arrange=_ARRIVAL,
            again=True,
        ),
        Scenario(
            name="departure-and-arrival",
            fault="An offer is removed and another one added, so that the counts are equal again",
            produced="before page 2 the first offer is removed, before page 7 one is added in front",
            answer=f"{_JOIN}; the next refresh asks for the removed offer by id and publishes the new one",
            lasts=_LASTS,
            expected=Expected(altered=1, deleted=1),
            arrange=_BOTH,
            again=True,
        ),
        Scenario(
            name="departure-and-arrival-at-first",
            fault="The same before the account's first publish, when a missing offer cannot be recognised",
            produced="the same, on an empty database",
            answer=f"{_JOIN}; the head of the listing is read once more, and the next refresh asks for the removed "
            "offer by id",
            lasts=_LASTS,
            expected=Expected(deleted=1),
            arrange=_BOTH,
            first=True,
            again=True,
        ),
    ),
)
