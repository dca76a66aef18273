"""Pages that are too slow at their size, and pages that fail because of one offer."""

from collections.abc import Callable, Iterable, Mapping

from emag_pipeline.drills.actions import Action, Look, settings
from emag_pipeline.drills.runs import ACCOUNT
from emag_pipeline.drills.scenario import Expected, Scenario, Theme
from emag_pipeline.drills.stage import Stage
from emag_pipeline.sync import accounts

_UNITED = "smaller pages are read until two readings are the same"
_SLOW_TRIES = f"2 tries at each size, then 100 → 50 → 20 → 10 → 5 → 1 offers per page; {_UNITED}"
_BROKEN_TRIES = (
    "5 tries of the page (about 9 s), 2 of each smaller page (50 → 20 → 10 → 5 offers), 5 of the single offer; "
    f"{_UNITED}"
)
_PLACE = 350
_QUICK: Mapping[str, str] = {"EMAG_API_SILENCE_SECONDS": "1"}


def _break(**options: object) -> Action:
    """Break every page that contains the offer at position 351."""

    def act(stage: Stage) -> None:
        control = stage.market.control
        control.add_fault("breaks_page", offer_ids=[control.ids(ACCOUNT)[_PLACE]], **options)

    return act


def _page_size(size: int | None) -> Look:
    """Check the page size that is stored for the account."""

    def look(stage: Stage) -> Iterable[str]:
        kept = accounts.page_size(stage.database, ACCOUNT).size
        return () if kept == size else (f"page size {kept} is stored, not {size}",)

    return look


def _all(*looks: Look) -> Look:
    return lambda stage: [said for look in looks for said in look(stage)]


def _on_broken(is_right: Callable[[Stage, int], bool], words: str) -> Look:
    """Check the offer that breaks its page."""

    def look(stage: Stage) -> Iterable[str]:
        return () if is_right(stage, stage.market.control.ids(ACCOUNT)[_PLACE]) else (words,)

    return look


def _is_kept(stage: Stage, offer_id: int) -> bool:
    return offer_id in stage.published() and not stage.published()[offer_id].is_deleted


THEME = Theme(
    "Slow and broken pages",
    (
        Scenario(
            name="pages-too-slow",
            fault="Pages of the usual size take longer than EMAG_API_SILENCE_SECONDS",
            produced="each offer of a page takes 0.04 s, so that a page of 100 takes 4 s; the limit is 3 s",
            answer="Reads smaller pages for the rest of the scan, and stores the size for the account's next syncs",
            lasts=f"{_SLOW_TRIES}; a larger size is tried again each day",
            arrange=settings(seconds_per_offer=0.04),
            look=_page_size(50),
            variables={"EMAG_API_SILENCE_SECONDS": "3"},
            long=True,
        ),
        Scenario(
            name="page-breaks",
            fault="The marketplace fails on every page that contains a certain offer, and on its read by id",
            produced="every read that includes the offer at position 351 returns 500",
            answer="Narrows the page down to that offer, which keeps its last state, flagged; publishes all others",
            lasts=f"{_BROKEN_TRIES}; the next successful read removes the flag",
            expected=Expected(quarantined=1, altered=1),
            arrange=_break(),
            look=_all(_page_size(None), _on_broken(_is_kept, "the offer that breaks its page is no longer published")),
            again=True,
            long=True,
        ),
        Scenario(
            name="page-breaks-at-first",
            fault="The same before the account's first publish, when the offer is not known",
            produced="the same, on an empty database",
            answer="Publishes all others; the next successful read adds the offer",
            lasts=_BROKEN_TRIES,
            expected=Expected(altered=1),
            arrange=_break(),
            first=True,
            again=True,
            long=True,
        ),
        Scenario(
            name="page-hangs",
            fault="Every page that contains a certain offer hangs, but a read by id returns it",
            produced="every page that includes the offer at position 351 hangs",
            answer="Narrows the page down to that offer, and reads it by its id",
            lasts=_SLOW_TRIES,
            arrange=_break(how="hang", by_id=False),
            look=_page_size(None),
            variables=_QUICK,
            long=True,
        ),
        Scenario(
            name="page-cut-off",
            fault="The response is cut off on every page that contains a certain offer",
            produced="every page that includes the offer at position 351 is cut off; reads by id are not",
            answer="Narrows the page down to that offer, and reads it by its id",
            lasts=_SLOW_TRIES,
            arrange=_break(how="cut", by_id=False),
            look=_page_size(None),
        ),
    ),
)
