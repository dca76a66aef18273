"""When is a scan complete? What speaks against it, in a sentence each (G2).

The proof itself is the verdict of `completeness.Scan`, which the scan has written down; staging must say so too.
"""

from emag_pipeline.db.audit import Figures
from emag_pipeline.plurals import counted


def doubts(figures: Figures) -> list[str]:
    """What keeps the scan from being complete; empty when it is."""
    said = []
    if not figures.proven:
        said.append("the scan has not proven that nothing is left out")
    if figures.unstaged:
        one, more = "offer that pages showed is not staged", "offers that pages showed are not staged"
        said.append(counted(figures.unstaged, one, more))
    if figures.unreadable_by_id > figures.unreadable_positions:
        one, more = "missing offer cannot be read by its id", "missing offers cannot be read by their id"
        positions = counted(figures.unreadable_positions, "position is", "positions are")
        said.append(f"{counted(figures.unreadable_by_id, one, more)}, {positions} unreadable")
    return said


def repeats(figures: Figures) -> list[str]:
    """Offers that stand in staging more than once although windows are merged there."""
    one, more = "row is staged of an offer that stands", "rows are staged of offers that stand"
    return [f"{counted(figures.repeated_rows, one, more)} there already"] * bool(figures.repeated_rows)
