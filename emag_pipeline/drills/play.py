"""Plays one scenario: the fault, the next run, the checks."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil

from emag_pipeline.drills import judgement
from emag_pipeline.drills.judgement import Published, compare, is_said
from emag_pipeline.drills.runs import ACCOUNT, Ending
from emag_pipeline.drills.scenario import Persisting, Scenario
from emag_pipeline.drills.scratch import Scratch
from emag_pipeline.drills.stage import Stage, stage
from emag_pipeline.errors import PipelineError
from emag_pipeline.marketplace import MarketplaceClient, ProcessBudget
from emag_pipeline.sync.context import timeouts_of
from emag_pipeline.sync.status import SyncProgress
from emag_pipeline.wording import counted

# The result of a scenario.


@dataclass(frozen=True, slots=True)
class Result:
    """One played scenario. `lost_rows` and `wrong_deletions` are None if the drill failed before the comparison."""

    scenario: Scenario
    observed: str
    said: str
    problems: Sequence[str]
    seconds: float
    lost_rows: int | None = None
    wrong_deletions: int | None = None

    @property
    def ok(self) -> bool:
        """Whether everything was as expected."""
        return not self.problems


def exit_code(results: Sequence[Result]) -> int:
    """0 if every drill went as expected, else 1."""
    return 0 if all(result.ok for result in results) else 1


# The error that a temporary fault would cause if it persisted: found by a single call, made while the run recovers.

#: An id that no offer has, so that no run asks for it.
_NOBODY = 1


def put_in_force(stage: Stage, persisting: Persisting) -> None:
    """Start the fault for every read of the id that only `differences` asks for."""
    stage.market.control.add_fault(**{**persisting.fault, "offer_ids": [_NOBODY]})


def differences(stage: Stage, persisting: Persisting) -> list[str]:
    """Make that call once, and report what differs from the expectation."""
    return list(_differences(persisting, _error_of(stage)))


def _error_of(stage: Stage) -> PipelineError | None:
    settings = stage.settings()
    budget = ProcessBudget(settings.requests_per_second, settings.requests_per_minute)
    account, timeouts = settings.account(ACCOUNT), timeouts_of(settings)
    client = MarketplaceClient(account, budget, record=lambda _: None, timeouts=timeouts, attempts=1)
    try:
        client.read_offer(_NOBODY)
    except PipelineError as error:
        return error
    finally:
        client.close()
    return None


def _differences(persisting: Persisting, error: PipelineError | None) -> Iterator[str]:
    if error is None:
        yield "a call that meets the fault succeeds"
        return
    if error.error_class != persisting.error_class:
        yield f"persisting, it is {error.error_class}, not {persisting.error_class}"
    if not is_said(persisting.message, error.message):
        yield f"persisting, it says {error.message!r}"


#: Prices, and as many stocks, changed since the previous publish.
_CHANGES = 30
#: Pages read per hundred positions, because windows overlap.
_OVERLAPPING = 1.2


def play(scenario: Scenario, scratch: Scratch) -> Result:
    """Play a scenario on its own stage. An error that stops it early becomes a problem of its result."""
    began = time.monotonic()
    try:
        with stage(scratch, scenario.offers, scenario.variables, first=scenario.first) as place:
            return _Play(scenario, place, began).result()
    except (PipelineError, OSError, ValueError) as error:
        said = error.message if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"
        return Result(scenario, "could not be completed", "", (said,), time.monotonic() - began)


class _Play:
    def __init__(self, scenario: Scenario, place: Stage, began: float) -> None:
        self._scenario = scenario
        self._stage = place
        self._began = began
        self._problems: list[str] = []
        self._wrongly_deleted: frozenset[int] = frozenset()

    def result(self) -> Result:
        before = self._prepare()
        met = last = self._meet()
        self._judge_first(met, before)
        observed = met.words
        if met.exit_code or self._scenario.again:
            last, words = self._next_run()
            observed = f"{observed}; {words}"
        if last.sync is not None and last.sync.offers_deleted != self._scenario.expected.deleted:
            self._problems.append(
                f"{counted(last.sync.offers_deleted, 'offer')} deleted, not {self._scenario.expected.deleted}"
            )
        return self._judged(observed, met.said)

    def _prepare(self) -> Published:
        control = self._stage.market.control
        if self._scenario.changes:
            control.advance(account=ACCOUNT, changes=_CHANGES, kind="price")
            control.advance(account=ACCOUNT, changes=_CHANGES, kind="stock")
        if (
            self._scenario.persisting is not None
        ):  # before the others: the sandbox lets the first one that matches happen
            put_in_force(self._stage, self._scenario.persisting)
        self._scenario.arrange(self._stage)
        return self._stage.published()

    def _meet(self) -> Ending:
        """Let a run meet the fault, and at the same time a single call the persisting one."""
        would_be = self._scenario.persisting
        if would_be is None:
            return self._scenario.act(self._stage)
        with ThreadPoolExecutor(1) as beside:
            told = beside.submit(differences, self._stage, would_be)
            try:
                met = self._scenario.act(self._stage)
            except BaseException:
                self._stage.market.stop()  # ends the call, so that the executor does not wait for it
                raise
            self._problems += told.result()
        return met

    def _judge_first(self, met: Ending, before: Published) -> None:
        expected = self._scenario.expected
        self._problems += judgement.of_ending(expected, met)
        self._problems += self._idle_faults()
        self._problems += self._scenario.look(self._stage)
        if met.exit_code:
            if self._stage.published() != before:
                self._problems.append("a failed run changed published rows")
        elif self._scenario.again:
            found = compare(self._stage.published(), self._stage.market.control, ACCOUNT)
            self._problems += judgement.of_published_meanwhile(expected, found)
            self._wrongly_deleted |= found.wrongly_deleted

    def _next_run(self) -> tuple[Ending, str]:
        staged = self._stage.progress()
        self._scenario.repair(self._stage)
        self._stage.wait_for_lease()
        self._stage.market.control.reset_stats()
        ending = self._stage.run(self._scenario.repaired_variables)
        if ending.exit_code:
            self._problems.append(f"the next run failed: {ending.said}")
        resumed = staged is not None and ending.sync is not None and ending.sync.sync_id == staged.sync_id
        if self._scenario.expected.resumes not in (None, resumed):
            self._problems.append(
                "the next run started from scratch" if not resumed else "the next run resumed an ended sync"
            )
        if resumed and staged is not None:
            self._problems += self._pages_read_again(staged)
        return ending, f"next run {'resumed, ' if resumed else ''}{ending.words}"

    def _pages_read_again(self, staged: SyncProgress) -> Iterator[str]:
        asked = {call["page"] for call in self._stage.market.control.requests(ACCOUNT) if call["page"]}
        # windows overlap; and the one under way, one behind the end, the head once more
        left = ceil(((staged.pages_expected or 0) - staged.pages_done) * _OVERLAPPING) + 3
        if len(asked) > left:
            yield f"the next run read {len(asked)} pages, {left} were left"

    def _idle_faults(self) -> Iterator[str]:
        for fault in self._stage.market.control.faults():
            if not fault["done"]:
                yield f"the fault {fault['kind']} never happened"

    def _judged(self, observed: str, said: str) -> Result:
        found = compare(self._stage.published(), self._stage.market.control, ACCOUNT)
        self._problems += judgement.of_published(found)
        return Result(
            self._scenario,
            observed,
            said,
            tuple(self._problems),
            time.monotonic() - self._began,
            len(found.lost),
            len(found.wrongly_deleted | self._wrongly_deleted),
        )
