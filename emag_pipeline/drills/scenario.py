"""What a scenario is: a fault in words and in code, and what is expected of the pipeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emag_pipeline.drills.actions import Act, Action, Look, end_faults, no_objection, nothing, one_run

#: Offers of a scenario's account unless it says otherwise: ten pages, the last one half full.
OFFERS = 950


@dataclass(frozen=True, slots=True)
class Expected:
    """How the run that meets the fault must end. An exit code below 0 is the signal that killed the process.

    In `message`, `…` stands for what differs from run to run. `altered` offers are shown otherwise than they are, in a
    way that can be represented, and so published. `deleted` is judged on the last run, all else on the one that met the
    fault. `resumes` says of the next run whether it goes on with that one's pages; None if there is no next run, or if
    either is right.
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
    """A fault that passes in the scenario, as it would end a run if it did not: the fault, and what a call says."""

    fault: Mapping[str, Any]
    error_class: str
    message: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault.

    The account has been published once (unless `first`), then prices and stocks have moved. `arrange` brings the fault
    about, `act` lets a run meet it, `look` says what is wrong with what it did. A run that failed is followed by
    `repair` and the next run, as is a good one if `again`. At the end the account must stand as the sandbox truly
    has it.
    """

    name: str
    #: what goes wrong, and how the drill makes it so
    fault: str
    produced: str
    #: what the pipeline does about it, and for how long
    answer: str
    lasts: str
    expected: Expected = field(default_factory=Expected)
    persisting: Persisting | None = None
    arrange: Action = nothing
    act: Act = one_run
    look: Look = no_objection
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
