"""What the answers show: which parameters are obeyed and where, and how the listing is ordered. None: not shown."""

from bisect import bisect_left
from itertools import pairwise
from typing import Any

from emag_pipeline.admin.probe.questions import ProbeAnswers, echoed_size, id_of


def parameters(answers: ProbeAnswers) -> dict[str, Any]:
    """Which place of the body is obeyed by counts and by reads, and whether each parameter is."""
    count, read, alone = _count_place(answers), _read_place(answers), _alone(answers)
    first = read or count
    size, is_odd_obeyed = _odd_size(answers)
    return {
        "obeyed": "both" if alone and first in ("top", "data") else first,
        "count": count,
        "read": read,
        "other_place_alone": alone,
        "odd_page_size": size,
        "is_odd_page_size_obeyed": is_odd_obeyed,
        "is_page_number_obeyed": _is_page_obeyed(answers),
        "is_id_obeyed": _is_id_obeyed(answers),
    }


def order(answers: ProbeAnswers) -> dict[str, Any] | None:
    """How the first page is ordered, and whether the second read shows its offers in the same order."""
    ids = [one for one in map(id_of, answers.page or ()) if one is not None]
    if len(ids) < 2:
        return None
    steps = list(pairwise(ids))
    places = {offer_id: place for place, offer_id in enumerate(ids)}
    again = [places[one] for one in map(id_of, answers.rows("part") or ()) if one in places]
    return {
        "offers": len(ids),
        "ids_ascend": all(one < other for one, other in steps),
        "ids_descend": all(one > other for one, other in steps),
        "repeated_ids": len(ids) - len(places),
        "offers_read_again": len(again),
        "share_in_same_order": round(_longest_ascent(again) / len(again), 3) if again else None,
    }


def _count_place(answers: ProbeAnswers) -> str | None:
    found = answers.of("split_count")
    size = echoed_size(found[1].results) if found else None
    return None if size is None else {1: "top", 2: "data"}.get(size, "neither")


def _read_place(answers: ProbeAnswers) -> str | None:
    rows = answers.rows("split_read")
    if rows is None or len(answers.page or ()) < 3:  # so few offers fit on any page
        return None
    return {1: "top", 2: "data"}.get(len(rows), "neither")


def _alone(answers: ProbeAnswers) -> bool | None:
    """Whether a count obeys the other place when it is the only one."""
    found = answers.of("lone_count")
    size = echoed_size(found[1].results) if found else None
    return None if size is None else size == 2


def _odd_size(answers: ProbeAnswers) -> tuple[int | None, bool | None]:
    found, rows = answers.of("part"), answers.rows("part")
    if found is None or rows is None:
        return None, None
    return found[0].page_size, len(rows) == found[0].page_size


def _is_page_obeyed(answers: ProbeAnswers) -> bool | None:
    found = answers.of("part")
    first, second = (list(map(id_of, rows or ())) for rows in (answers.page, answers.rows("part")))
    if not found or found[0].page != 2 or not second:
        return None
    if second == first[len(second) : 2 * len(second)]:
        return True
    return False if second == first[: len(second)] else None


def _is_id_obeyed(answers: ProbeAnswers) -> bool | None:
    found, rows = answers.of("by_id"), answers.rows("by_id")
    if found is None or not rows:
        return None
    return [id_of(row) for row in rows] == [found[0].offer_id]


def _longest_ascent(places: list[int]) -> int:
    """How many of them can be kept so that they ascend."""
    ends: list[int] = []
    for place in places:
        at = bisect_left(ends, place)
        ends[at : at + 1] = [place]
    return len(ends)
