"""What a scenario is: a fault in words and in code, and what is expected of the pipeline."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emag_pipeline.operations.drills.runs import Ending
from emag_pipeline.operations.drills.stage import Stage

Action = Callable[[Stage], None]
Act = Callable[[Stage], Ending]

#: Offers of a scenario's account unless it says otherwise: ten pages, the last one half full.
OFFERS = 950


@dataclass(frozen=True, slots=True)
class Expected:
    """How the run that meets the fault must end. An exit code below 0 is the signal that killed the process.

    In `message`, `…` stands for what differs from run to run. `deleted` is judged on the last run, all else on the
    one that met the fault. `resumes` says of the next run whether it goes on with that one's pages; None if there
    is none, or if either is right.
    """

    exit_code: int = 0
    error_class: str = ""
    message: str = ""
    rounds: int = 1
    quarantined: int = 0
    deleted: int = 0
    resumes: bool | None = None


def nothing(_: Stage) -> None:
    """No action."""


def one_run(stage: Stage) -> Ending:
    """A run, from its start to its end."""
    return stage.run()


def end_faults(stage: Stage) -> None:
    """The marketplace is well again."""
    stage.market.control.clear_faults()


def fault(kind: str, **limits_and_options: Any) -> Action:
    """Put a fault of the sandbox in force; its kinds stand in the docstring of emag_pipeline.sandbox."""
    return lambda stage: _add_fault(stage, kind, limits_and_options)


def _add_fault(stage: Stage, kind: str, limits_and_options: Mapping[str, Any]) -> None:
    stage.market.control.add_fault(kind, **limits_and_options)


def all_of(*actions: Action) -> Action:
    """Several actions, one after the other."""

    def act(stage: Stage) -> None:
        for action in actions:
            action(stage)

    return act


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault.

    The account has been published once (unless `first`), then prices and stocks have moved; `arrange` brings the
    fault about, `act` lets a run meet it. A run that failed is followed by `repair` and the next run, as is a good
    one if `again`. At the end the account must stand as the sandbox truly has it.
    """

    name: str
    #: what goes wrong, and how the drill makes it so
    fault: str
    produced: str
    #: what the pipeline does about it, and for how long
    answer: str
    lasts: str
    expected: Expected = field(default_factory=Expected)
    arrange: Action = nothing
    act: Act = one_run
    repair: Action = end_faults
    #: settings of all runs, and what changes for the run after the fault
    variables: Mapping[str, str] = field(default_factory=dict)
    repaired_variables: Mapping[str, str] = field(default_factory=dict)
    offers: int = OFFERS
    first: bool = False
    changes: bool = True
    again: bool = False
    #: it waits for a minute or more, so it is begun early
    long: bool = False
    #: it stops the server that all scenarios share
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Theme:
    """Scenarios that belong together in the document."""

    title: str
    scenarios: Sequence[Scenario]
