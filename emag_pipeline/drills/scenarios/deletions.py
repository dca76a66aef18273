"""Offers missing from pages: they are deleted only after a read by id has confirmed it."""

from collections.abc import Callable

from emag_pipeline.drills.actions import Action, fault, reads_by_id
from emag_pipeline.drills.runs import ACCOUNT
from emag_pipeline.drills.scenario import Expected, Scenario, Theme
from emag_pipeline.drills.stage import Stage


def _on_first(change: Callable[[Stage, list[int]], None], number: int) -> Action:
    """Apply a change to `number` offers: every third one from the front."""

    def act(stage: Stage) -> None:
        change(stage, stage.market.control.ids(ACCOUNT)[: 3 * number : 3])

    return act


def _remove(stage: Stage, offer_ids: list[int]) -> None:
    stage.market.control.remove(ACCOUNT, offer_ids)


def _hide(stage: Stage, offer_ids: list[int]) -> None:
    stage.market.control.hide(ACCOUNT, offer_ids)


def _remove_unreadably(stage: Stage, offer_ids: list[int]) -> None:
    _remove(stage, offer_ids)
    fault("server_error", offer_ids=offer_ids)(stage)


def _bring_back(stage: Stage) -> None:
    missing = stage.published().keys() - set(stage.market.control.ids(ACCOUNT))
    stage.market.control.show(ACCOUNT, sorted(missing))


_COLLAPSE = (
    "main, sync …: the audit refuses the scan, nothing was published: 300 of 950 published offers have vanished "
    "(31.58%), 20% may vanish without approval. If this is right, run `emag-pipeline approve …`; it publishes the "
    "staged scan."
)

THEME = Theme(
    "Deletions",
    (
        Scenario(
            name="offers-hidden-from-pages",
            fault="Offers are missing from all pages, but still exist",
            produced="500 of 2,600 offers are left out of pages and count; reads by id find them",
            answer="Asks for each by id and publishes what it finds; no tombstone",
            lasts="One call per offer, within the rate budget",
            arrange=_on_first(_hide, 500),
            look=reads_by_id(500),
            offers=2600,
        ),
        Scenario(
            name="offers-depart",
            fault="Offers are gone",
            produced="40 of 950 offers are removed",
            answer="Asks for each by id, then tombstones it: `deleted_at` is set, no row is deleted",
            lasts="One call per offer, within the rate budget",
            expected=Expected(deleted=40),
            arrange=_on_first(_remove, 40),
            look=reads_by_id(40),
        ),
        Scenario(
            name="catalogue-collapses",
            fault="More offers vanish at once than EMAG_SYNC_MAX_SHRINK allows",
            produced="300 of 950 offers are removed, and come back before the next run",
            answer="Refuses the scan: nothing is published, nothing is tombstoned",
            lasts="Until a person approves it, or a new run finds the offers again",
            expected=Expected(3, "RefusedError", _COLLAPSE, resumes=False),
            arrange=_on_first(_remove, 300),
            look=reads_by_id(0),
            repair=_bring_back,
        ),
        Scenario(
            name="collapse-approved",
            fault="More offers vanish at once, and a person approves it",
            produced="300 of 950 offers are removed; the refused sync is approved",
            answer="The next run asks for each vanished offer by id and publishes the staged scan",
            lasts="The approved sync gets its full time again",
            expected=Expected(3, "RefusedError", _COLLAPSE, deleted=300, resumes=True),
            arrange=_on_first(_remove, 300),
            look=reads_by_id(0),
            repair=Stage.approve,
        ),
        Scenario(
            name="confirmation-fails",
            fault="Reads by id fail while missing offers are confirmed",
            produced="15 offers are removed, and reads of their ids return 503",
            answer="Retries the call, then the step, then fails: a failed read never counts as a deletion; "
            "the next run resumes and confirms the deletions",
            lasts="5 tries per call (about 9 s); the step is retried 3 times, after 5, 10 and 20 s",
            expected=Expected(
                1,
                "ApiUnavailable",
                "main, offer …: the marketplace fails: HTTP 503, tried 5 times. It is retried; if it persists, "
                "check the marketplace's status.",
                deleted=15,
                resumes=True,
            ),
            arrange=_on_first(_remove_unreadably, 15),
            long=True,
        ),
    ),
)
