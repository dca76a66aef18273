"""What a scenario consists of: a fault in words and in code, and what the pipeline must do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emag_pipeline.drills.actions import Act, Action, Look, end_faults, no_objection, nothing, one_run

#: Offers of a scenario's account by default: ten pages, the last one half full.
OFFERS = 950


@dataclass(frozen=True, slots=True)
class Expected:
    """How the run that meets the fault must end. An exit code below 0 is the signal that killed the process.

    In `message`, `…` stands for text that differs from run to run. `altered` counts the offers that the marketplace
    shows wrongly but in a form that can be stored and is therefore published. `deleted` is checked on the last run, the
    rest on the run that met the fault. `resumes`: whether the next run continues with the pages of that one; None if
    there is no next run, or if both are correct.
    """

    exit_code: int = 0
    error_class: str = ""
    message: str = ""
    quarantined: int = 0
    altered: int = 0
    deleted: int = 0
    resumes: bool | None = None


@dataclass(frozen=True, slots=True)
class Persisting:
    """How a fault that is temporary in the scenario would end a run if it persisted: the fault, and a call's error."""

    fault: Mapping[str, Any]
    error_class: str
    message: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault.

    The account was published once (unless `first`), then prices and stocks changed. `arrange` causes the fault, `act`
    lets a run meet it, `look` reports what the run did wrong. After a failed run, and after any run if `again`,
    `repair` and the next run follow. At the end the published account must equal the sandbox's truth.
    """

    name: str
    #: what goes wrong, and how the drill causes it
    fault: str
    produced: str
    #: how the pipeline handles it, and for how long
    answer: str
    lasts: str
    expected: Expected = field(default_factory=Expected)
    persisting: Persisting | None = None
    arrange: Action = nothing
    act: Act = one_run
    look: Look = no_objection
    repair: Action = end_faults
    #: settings of all runs, and changes for the run after the fault
    variables: Mapping[str, str] = field(default_factory=dict)
    repaired_variables: Mapping[str, str] = field(default_factory=dict)
    offers: int = OFFERS
    first: bool = False
    changes: bool = True
    again: bool = False
    #: takes a minute or more of waiting, so it is started early
    long: bool = False
    #: stops the server that all scenarios share
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Theme:
    """Scenarios that belong together in the document."""

    title: str
    scenarios: Sequence[Scenario]
