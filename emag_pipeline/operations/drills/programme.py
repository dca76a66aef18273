"""Playing many scenarios: several at once; those that stop the server which all share last, one by one."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from emag_pipeline.operations.drills.play import play
from emag_pipeline.operations.drills.result import Result
from emag_pipeline.operations.drills.scenario import Scenario
from emag_pipeline.operations.drills.scratch import Scratch, scratch

#: Of scenarios that mostly compute. Those that mostly wait (`long`) are all begun at once, beside them.
_AT_ONCE = 4


def play_all(scenarios: Sequence[Scenario], tell: Callable[[Result], None], check: Callable[[], None]) -> list[Result]:
    """Play the scenarios on scratch storage; returns their results in the order given.

    `tell` hears of each result as it comes; `check` is called several times a second and raises Interrupted to stop.
    Raises the errors of an embedded server that cannot be started.
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
