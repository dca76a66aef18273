"""What the faults in force make of counts and pages, whatever is counted and paged."""

from collections.abc import Callable
from typing import Any

from emag_pipeline.sandbox.faults import Faults, Target
from emag_pipeline.sandbox.poison import poisoned

Row = dict[str, Any]
Parameters = dict[str, Any]

PAGING = frozenset({"currentPage", "itemsPerPage"})
_ROWS = ("empty_page", "short_page", "poison")


def told_count(faults: Faults, target: Target, number: int) -> int:
    """The number that a count tells: the true one, or a lie."""
    lie = faults.take(("count_lies",), target)
    if lie is None:
        return number
    if lie.options["offers"] is not None:
        return int(lie.options["offers"])
    return max(0, number + int(lie.options["difference"] or 0))


def heard(faults: Faults, target: Target, asked: Parameters) -> Parameters:
    """The parameters that the marketplace acts upon: those asked, or fewer when a fault ignores some."""
    if faults.take(("ignores_filters",), target):
        asked = {name: value for name, value in asked.items() if name in PAGING}
    if faults.take(("ignores_page",), target):
        asked = {name: value for name, value in asked.items() if name != "currentPage"}
    return asked


def shown_size(faults: Faults, target: Target, size: int) -> int:
    """How many rows a page really holds: those asked for, or more when a fault ignores that."""
    fault = faults.take(("too_many_rows",), target)
    return int(fault.options["rows"]) if fault else size


def shown_page(faults: Faults, target: Target, page: int, last: Callable[[], int]) -> int:
    """The page that is really shown: another one when a fault repeats pages. `last` tells the number of the last."""
    if fault := faults.take(("repeated_page",), target):
        return int(fault.options["shows"])
    end = last() if faults.in_force("endless_pages") else 0
    if 0 < end < page and faults.take(("endless_pages",), target):
        return (page - 1) % end + 1
    return page


def spoilt(faults: Faults, target: Target, rows: list[Row]) -> list[Row]:
    """The page's rows, or what is left of them."""
    fault = faults.take(_ROWS, target) if rows else None
    if fault is None:
        return rows
    if fault.kind == "empty_page":
        return []
    if fault.kind == "short_page":
        return rows[: -int(fault.options["missing"]) or None]
    chosen = fault.limits.get("offer_ids")
    return poisoned(rows, fault.options["row"], fault.options["rows"], frozenset(chosen) if chosen else None)
