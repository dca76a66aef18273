"""Playing one scenario: the fault, the next run, the judgement."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from emag_pipeline.errors import PipelineError
from emag_pipeline.operations.drills.compare import compare
from emag_pipeline.operations.drills.runs import ACCOUNT, Ending
from emag_pipeline.operations.drills.scenario import Expected, Scenario
from emag_pipeline.operations.drills.scratch import Scratch
from emag_pipeline.operations.drills.stage import Stage, stage

#: Prices and stocks that have moved since the publish before.
_CHANGES = 30


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a scenario. `lost_rows` and `wrong_deletions` are None where it did not come to a comparison."""

    scenario: Scenario
    observed: str
    said: str
    problems: tuple[str, ...]
    seconds: float
    lost_rows: int | None = None
    wrong_deletions: int | None = None

    @property
    def ok(self) -> bool:
        """Whether everything was as expected."""
        return not self.problems


def play(scenario: Scenario, scratch: Scratch) -> Result:
    """Play a scenario on a stage of its own. What keeps it from being played to its end is a problem of its result."""
    began = time.monotonic()
    try:
        with stage(scratch, scenario.offers, scenario.variables, first=scenario.first) as place:
            return _Play(scenario, place, began).result()
    except (PipelineError, OSError, ValueError) as error:
        said = error.message if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"
        return Result(scenario, "could not be played to its end", "", (said,), time.monotonic() - began)


class _Play:
    def __init__(self, scenario: Scenario, place: Stage, began: float) -> None:
        self._scenario = scenario
        self._stage = place
        self._began = began
        self._problems: list[str] = []

    def result(self) -> Result:
        expected = self._scenario.expected
        before = self._prepare()
        met = self._scenario.act(self._stage)
        self._problems += _differences(expected, met)
        self._problems += self._idle_faults()
        if met.exit_code and self._stage.published() != before:
            self._problems.append("published rows were touched by a run that failed")
        observed, last = met.words, met
        if met.exit_code or self._scenario.again:
            last, words = self._next_run(met)
            observed = f"{observed}; {words}"
        if last.sync is not None and last.sync.offers_deleted != expected.deleted:
            self._problems.append(f"{last.sync.offers_deleted} offers deleted, not {expected.deleted}")
        return self._judged(observed, met.said)

    def _prepare(self) -> object:
        control = self._stage.market.control
        if self._scenario.changes:
            control.advance(account=ACCOUNT, changes=_CHANGES, kind="price")
            control.advance(account=ACCOUNT, changes=_CHANGES, kind="stock")
        self._scenario.arrange(self._stage)
        return self._stage.published()

    def _next_run(self, met: Ending) -> tuple[Ending, str]:
        staged = self._stage.progress()
        self._scenario.repair(self._stage)
        self._stage.wait_for_lease()
        ending = self._stage.run(self._scenario.repaired_variables)
        if ending.exit_code:
            self._problems.append(f"the next run failed: {ending.said}")
        resumed = staged is not None and ending.sync is not None and ending.sync.sync_id == staged.sync_id
        if self._scenario.expected.resumes not in (None, resumed):
            self._problems.append("the next run began anew" if not resumed else "the next run resumed what was over")
        return ending, f"next run {'resumed, ' if resumed else ''}{ending.words}"

    def _idle_faults(self) -> Iterator[str]:
        for fault in self._stage.market.control.faults():
            if not fault["done"]:
                yield f"the fault {fault['kind']} never happened"

    def _judged(self, observed: str, said: str) -> Result:
        found = compare(self._stage.published(), self._stage.market.control)
        for number, what in (
            (len(found.lost), "offers lost or wrong"),
            (len(found.wrongly_deleted), "offers wrongly deleted"),
            (len(found.kept), "offers still published that are gone"),
        ):
            if number:
                self._problems.append(f"{number:,} {what}")
        return Result(
            self._scenario,
            observed,
            said,
            tuple(self._problems),
            time.monotonic() - self._began,
            len(found.lost),
            len(found.wrongly_deleted),
        )


def _differences(expected: Expected, met: Ending) -> Iterator[str]:
    if met.exit_code != expected.exit_code:
        yield f"exit code {met.exit_code}, not {expected.exit_code}: {met.said}"
    if met.sync is not None and met.error_class != expected.error_class:
        yield f"error class {met.error_class or 'none'}, not {expected.error_class or 'none'}"
    if not is_said(expected.message, met.said):
        yield f"it said {met.said!r}"
    if met.sync is not None and met.sync.round != expected.rounds:
        yield f"{met.sync.round} readings, not {expected.rounds}"
    if met.sync is not None and met.exit_code == 0 and met.sync.offers_rejected != expected.quarantined:
        yield f"{met.sync.offers_rejected} rows quarantined, not {expected.quarantined}"


def is_said(message: str, said: str) -> bool:
    """Whether a run said the message, in which `…` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, message.split("…"))), said, re.DOTALL) is not None
