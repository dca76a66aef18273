"""Plays many scenarios: several at once; at the end, one by one, those that stop the shared database server."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from rich.table import Table
from rich.text import Text

from emag_pipeline.drills.play import Result, play
from emag_pipeline.drills.scenario import Scenario
from emag_pipeline.drills.scratch import Scratch, scratch

#: Scenarios that mostly compute and run at the same time. Those that mostly wait (`long`) all start at once as well.
_AT_ONCE = 4


def play_all(scenarios: Sequence[Scenario], tell: Callable[[Result], None], check: Callable[[], None]) -> list[Result]:
    """Play the scenarios on scratch storage; returns their results in the order given.

    `tell` is called with each result as it arrives; `check` is called several times per second and raises Interrupted
    to stop. Raises the errors of `embedded.start`.
    """
    with scratch() as place:
        results = list(_together([one for one in scenarios if not one.alone], place, tell, check))
        for one in scenarios:
            if one.alone:
                results += _together([one], place, tell, check)
    return sorted(results, key=lambda result: scenarios.index(result.scenario))


def _together(
    scenarios: Sequence[Scenario], place: Scratch, tell: Callable[[Result], None], check: Callable[[], None]
) -> Iterator[Result]:
    long = sum(one.long for one in scenarios)
    with ThreadPoolExecutor(long or 1) as waiting_ones, ThreadPoolExecutor(_AT_ONCE) as others:
        pending: set[Future[Result]] = {
            (waiting_ones if one.long else others).submit(play, one, place) for one in scenarios
        }
        try:
            while pending:
                check()
                done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in done:
                    tell(future.result())
                    yield future.result()
        except BaseException:
            place.halted.set()
            for future in pending:
                future.cancel()
            raise


# The results of a drill as a table.


def table_of(results: Sequence[Result]) -> Table:
    """Fault, observation, result, seconds, lost rows, wrong deletions; problems are listed below the observation."""
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
    """All results in one line."""
    failed = sum(not one.ok for one in results)
    lost = sum(one.lost_rows or 0 for one in results)
    wrong = sum(one.wrong_deletions or 0 for one in results)
    outcome = f"{failed} FAILED" if failed else "all as expected"
    drills = "1 drill" if len(results) == 1 else f"{len(results)} drills"
    return f"{drills}, {outcome}, {lost:,} lost rows, {wrong:,} wrong deletions"


def _number(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"
