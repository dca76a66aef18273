"""Invalid rows: a bad id loses only the row, any other bad field only the field, never the whole sync."""

from emag_pipeline.drills.actions import Action, fault
from emag_pipeline.drills.runs import ACCOUNT
from emag_pipeline.drills.scenario import Expected, Scenario, Theme
from emag_pipeline.drills.stage import Stage

_REPLACED = "Publishes it with U+FFFD in that place, and records a surprise"
_UNREADABLE = (
    "Publishes the offer with its last good price, flagged `field_unreadable` and not saleable, and records a surprise"
)
_NULL = "Publishes null for these fields, but the last good value of status and price; records surprises"
_ASKED = "Quarantines the row; its offer then counts as missing and is asked for by id"


#: Between the windows that show it and their neighbours.
_PLACE = 240
#: Reads by id have no page number, so the fault does not affect them.
_PAGES = tuple(range(1, 1001))


def _on_pages(row: str, place: int, rows: int) -> Action:
    """Corrupt `rows` offers from a position on, on every page that returns them: windows start anywhere and overlap."""

    def act(stage: Stage) -> None:
        chosen = stage.market.control.ids(ACCOUNT)[place : place + rows]
        fault("poison", row=row, offer_ids=chosen, pages=_PAGES)(stage)

    return act


def _poison(
    row: str,
    what: str,
    answer: str,
    *,
    quarantined: int = 0,
    altered: int = 0,
    rows: int = 2,
    place: int = _PLACE,
) -> Scenario:
    return Scenario(
        name=f"row-{row.replace('_', '-')}",
        fault=what,
        produced=f"{rows} offers, on every page that returns them ({row})" if rows > 1 else f"one row ({row})",
        answer=answer,
        lasts="Until the next good read, which ends the quarantine" if quarantined else "Until the next good read",
        expected=Expected(quarantined=quarantined, altered=altered),
        arrange=_on_pages(row, place, rows),
        again=True,
    )


THEME = Theme(
    "Rows",
    (
        _poison("nul", "A text holds NUL, which PostgreSQL cannot store", _REPLACED, altered=2),
        _poison("price", "A price is not a number", _UNREADABLE, altered=2),
        _poison("types", "Fields have the wrong types", _NULL, altered=2),
        _poison("surrogate", "A text holds half of a surrogate pair", _REPLACED, altered=2),
        _poison("no_id", "A row has no id", _ASKED, quarantined=2),
        _poison("huge_id", "An id is out of range", _ASKED, quarantined=2),
        _poison(
            "same_id_twice",
            "An offer is on a page twice",
            "Keeps the first row, quarantines the second",
            quarantined=2,
            place=940,  # on the last page: a full one has no room for another row
        ),
        _poison(
            "same_id_instead",
            "An offer is returned in place of another one",
            "Keeps the first row, quarantines the second; the replaced offer is asked for by id",
            quarantined=1,
            rows=1,
        ),
        _poison("long_name", "A name has 100,000 characters", "Publishes it: it can be represented", altered=2),
        Scenario(
            name="too-many-bad-rows",
            fault="More rows are bad than EMAG_SYNC_REJECT_TOLERANCE allows",
            produced="20 rows of page 2 have prices that are not numbers",
            answer="Refuses the scan and publishes nothing; it stays staged until a person approves it",
            lasts="Until a person approves it or a new run finds fewer bad rows",
            expected=Expected(
                3,
                "RefusedError",
                "main, sync …: the audit refuses the scan, nothing was published: 20 of 950 rows cannot be used as "
                'they are (2.11%), 1.00% are tolerated: 20 with unreadable fields; most often "sale_price cannot be '
                'read" (20); for example offer … on page 2. See the rows with `emag-pipeline rejects --account main`; '
                "if this is right, run `emag-pipeline approve …`; it publishes the staged scan.",
                resumes=False,
            ),
            arrange=fault("poison", row="price", rows=20, pages=[2]),
        ),
    ),
)
