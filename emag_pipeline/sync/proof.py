"""When is a scan complete? The rule, in numbers, with a sentence for everything that speaks against it (G2)."""

from emag_pipeline.db.audit import Figures


def doubts(figures: Figures, *, before_confirming: bool = False) -> list[str]:
    """What keeps the scan from being proven complete; empty when it is.

    `before_confirming`: missing offers have not been asked for yet and may still account for a difference.
    """
    return _page_doubts(figures) + repeats(figures) + _count_doubts(figures, before_confirming)


def repeats(figures: Figures) -> list[str]:
    """Offers on several pages: something moved while the pages were read, so others may have been skipped."""
    if figures.repeated_rows == 0:
        return []
    return [f"{figures.repeated_rows:,} rows show offers that another page had shown already"]


def accidents(figures: Figures) -> list[str]:
    """Why the numbers of a first reading that add up may do so by accident; a second one that adds up settles it.

    Behind an arrival another new offer may have slipped past (one page cannot skip any). And where offers that only
    reads by id found make up the count, a dropped row could hide behind them.
    """
    said = []
    if figures.arrivals and figures.pages_expected > 1:
        said.append(f"{figures.arrivals:,} new offers show, and another one may have slipped past")
    if (number := by_id_only(figures)) > 0:
        said.append(f"{number:,} counted offers were found by their id only")
    return said


def by_id_only(figures: Figures) -> int:
    """How many of the counted offers no page has shown."""
    return figures.count_after - figures.shown - figures.unreadable_positions


def _page_doubts(figures: Figures) -> list[str]:
    said = []
    if figures.pages_staged != figures.pages_expected:
        said.append(f"{figures.pages_staged:,} of {figures.pages_expected:,} pages are staged")
    if not figures.positions == figures.positions_end >= figures.count_before:
        said.append(
            f"{figures.positions:,} positions of the listing are read up to position {figures.positions_end:,}, "
            f"{figures.count_before:,} were counted"
        )
    if figures.rows_beyond:
        said.append(
            f"{figures.rows_beyond:,} rows are shown behind the last page, from position {figures.positions_end:,} on: "
            "the count is too low"
        )
    if figures.unreadable_by_id > figures.unreadable_positions:
        said.append(
            f"{figures.unreadable_by_id:,} missing offers cannot be read by their id, "
            f"{figures.unreadable_positions:,} positions are unreadable"
        )
    return said


def _count_doubts(figures: Figures, before_confirming: bool) -> list[str]:
    if figures.count_before != figures.count_after:
        return [
            f"the marketplace counted {figures.count_before:,} offers before and {figures.count_after:,} after the scan"
        ]
    by_id = figures.missing if before_confirming else 0
    accounted = figures.shown + figures.unreadable_positions
    if accounted <= figures.count_after <= accounted + figures.found_by_id + by_id:
        return []
    also = f", {figures.unreadable_positions:,} positions are unreadable" if figures.unreadable_positions else ""
    shown = f"the pages showed {figures.shown:,} different ones{also}"
    return [f"the marketplace counts {figures.count_after:,} offers, {shown}"]
