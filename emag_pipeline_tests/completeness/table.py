"""The figures as the tables of docs/completeness.md."""

from collections.abc import Iterable, Sequence

from emag_pipeline_tests.completeness.budgets import MOST_OVER_THE_CHAIN, MOVING, Budget
from emag_pipeline_tests.completeness.judge import Figures

#: Sections and their headings.
SECTIONS = {
    "stable": "Offers that stay keep their order: 0 to 2,500 offers in four orders, answers in any order, late, lost, "
    "repeated, every fifth process killed",
    "large": "The same with more offers",
    "pages": "Smaller pages, unreadable positions, pages that are too large",
    "reordering": "Listings that reorder themselves at every update (1 arrives and departs in 15 reads as well)",
    "faults": "Answers that are not movement, which other reads or a second reading get around",
    "evidence": "One piece of evidence that looks like proof and is none, every fifth process killed",
    "lies": "Answers that no reading gets around: refused, or the end found before they were met",
}
_COLUMNS = (
    "| | scans | offers missed | scans with a miss, marked | wrongly kept | refused | united | repairs a scan "
    "| calls / 100 |"
)


def table(section: str, figures: Sequence[Figures]) -> Iterable[str]:
    """The lines of a section's table."""
    yield f"### {SECTIONS[section]}"
    yield ""
    yield _COLUMNS
    yield "|---|---|---|---|---|---|---|---|---|"
    yield from (_row(one) for one in figures)
    yield ""


def _row(one: Figures) -> str:
    calls = "" if one.calls_a_hundred is None else f"{one.calls_a_hundred:.2f}"
    misses = f"{one.scans_with_a_miss:,}, {one.marked_misses:,}" if one.scans_with_a_miss else "0"
    cells = (
        one.group.name,
        f"{one.scans:,}",
        f"{one.missed:,}",
        misses,
        f"{one.kept:,}",
        f"{one.refused:,}",
        f"{one.united:,}",
        f"{one.repairs / max(1, one.scans):.2f}",
        calls,
    )
    return "| " + " | ".join(cells) + " |"


def budget_table(budgets: Iterable[Budget]) -> Iterable[str]:
    """The lines of the table of calls."""
    yield "### Calls of a whole sync: counts, windows, closing step, five confirmations (none at a first publish)"
    yield ""
    yield "| offers | | calls, at most | for each 100 offers | beyond the chain | kept |"
    yield "|---|---|---|---|---|---|"
    for one in budgets:
        calls = f"{one.calls:.1f}, {one.most}"
        over = f"{one.calls - one.chain:.2f}"
        borne = f", up to {MOST_OVER_THE_CHAIN + MOVING:g} are borne" if one.is_borne else ""
        kept = "yes" if one.is_kept else f"**no**{borne}"
        yield f"| {one.offers:,} | {one.situation} | {calls} | {one.a_hundred:.2f} | {over} | {kept} |"
    yield ""
