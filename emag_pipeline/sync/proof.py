"""When is a scan complete? What speaks against it, in a sentence each (G2).

The proof itself is the verdict of `completeness.Scan`, which the scan has written down; staging must say so too.
"""

from emag_pipeline.db.audit import Figures


def doubts(figures: Figures) -> list[str]:
    """What keeps the scan from being complete; empty when it is."""
    said = []
    if not figures.proven:
        said.append("the scan has not proven that nothing is left out")
    if figures.unstaged:
        said.append(f"{figures.unstaged:,} offers that pages showed are not staged")
    if figures.unreadable_by_id > figures.unreadable_positions:
        said.append(
            f"{figures.unreadable_by_id:,} missing offers cannot be read by their id, "
            f"{figures.unreadable_positions:,} positions are unreadable"
        )
    return said


def repeats(figures: Figures) -> list[str]:
    """Offers that stand in staging more than once although windows are merged there."""
    return [f"{figures.repeated_rows:,} rows are staged of offers that stand there already"] * bool(
        figures.repeated_rows
    )
