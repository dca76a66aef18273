"""Building blocks of scenarios: start and end faults, run a sync, and check what it did."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from emag_pipeline.drills.runs import ACCOUNT, Ending
from emag_pipeline.drills.stage import Stage

Action = Callable[[Stage], None]
Act = Callable[[Stage], Ending]
#: Checks what the run that met the fault did, and yields one sentence per problem.
Look = Callable[[Stage], Iterable[str]]


def nothing(_: Stage) -> None:
    """No action."""


def no_objection(_: Stage) -> Iterable[str]:
    """Nothing is wrong."""
    return ()


def calls(number: int, of: str = "") -> Look:
    """Exactly `number` calls were made, in total or to one resource."""
    return lambda stage: _counted(number, of or "calls", [one for one in _calls(stage) if of in ("", one["resource"])])


def reads_by_id(number: int) -> Look:
    """Exactly `number` reads by id were made."""
    return lambda stage: _counted(number, "reads by id", [one for one in _calls(stage) if one["offer_id"]])


def _calls(stage: Stage) -> Sequence[Mapping[str, Any]]:
    return stage.market.control.requests(ACCOUNT)


def _counted(number: int, what: str, found: Sequence[object]) -> Iterable[str]:
    return () if len(found) == number else (f"{len(found)} {what}, not {number}",)


def one_run(stage: Stage) -> Ending:
    """Start a run and wait for its end."""
    return stage.run()


def end_faults(stage: Stage) -> None:
    """End all faults."""
    stage.market.control.clear_faults()


def fault(kind: str, **limits_and_options: Any) -> Action:
    """Start a fault of the sandbox; the docstring of emag_pipeline.sandbox lists the kinds."""
    return lambda stage: _add_fault(stage, kind, limits_and_options)


def _add_fault(stage: Stage, kind: str, limits_and_options: Mapping[str, Any]) -> None:
    stage.market.control.add_fault(kind, **limits_and_options)


def settings(**changes: Any) -> Action:
    """Change settings of the sandbox."""
    return lambda stage: _set(stage, changes)


def _set(stage: Stage, changes: Mapping[str, Any]) -> None:
    stage.market.control.settings(**changes)


def all_of(*actions: Action) -> Action:
    """Perform several actions in order."""

    def act(stage: Stage) -> None:
        for action in actions:
            action(stage)

    return act
