"""The results of a drill as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from emag_pipeline.operations.drills.result import Result


def table_of(results: Sequence[Result]) -> Table:
    """Fault, what was observed, result, seconds, lost rows, wrong deletions; problems stand below what was observed."""
    table = Table(caption=summary(results), caption_justify="left", caption_style="bold", show_lines=True)
    for name in ("fault", "observed", "result"):
        table.add_column(name)
    for name in ("seconds", "lost rows", "wrong deletions"):
        table.add_column(name, justify="right")
    for one in results:
        table.add_row(
            Text.assemble((one.scenario.name, "bold"), f"\n{one.scenario.fault}"),
            Text("\n".join([one.observed, *one.problems])),
            Text("ok", "green") if one.ok else Text("FAILED", "bold red"),
            f"{one.seconds:.1f}",
            _number(one.lost_rows),
            _number(one.wrong_deletions),
        )
    return table


def summary(results: Sequence[Result]) -> str:
    """All in one line."""
    failed = sum(not one.ok for one in results)
    lost = sum(one.lost_rows or 0 for one in results)
    wrong = sum(one.wrong_deletions or 0 for one in results)
    outcome = f"{failed} FAILED" if failed else "all as expected"
    drills = "1 drill" if len(results) == 1 else f"{len(results)} drills"
    return f"{drills}, {outcome}, {lost:,} lost rows, {wrong:,} wrong deletions"


def _number(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"
