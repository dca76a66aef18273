"""What scenarios are made of: faults put in force and ended, runs, and looks at what they did."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from emag_pipeline.drills.runs import ACCOUNT, Ending
from emag_pipeline.drills.stage import Stage

Action = Callable[[Stage], None]
Act = Callable[[Stage], Ending]
#: Looks at what the run that met the fault has done, and yields a sentence for everything that is wrong with it.
Look = Callable[[Stage], Iterable[str]]


def nothing(_: Stage) -> None:
    """No action."""


def no_objection(_: Stage) -> Iterable[str]:
    """Nothing is wrong."""
    return ()


def calls(number: int, of: str = "") -> Look:
    """So many calls were made, all or those of one resource."""
    return lambda stage: _counted(number, of or "calls", [one for one in _calls(stage) if of in ("", one["resource"])])


def reads_by_id(number: int) -> Look:
    """So many reads of single offers were made."""
    return lambda stage: _counted(number, "reads by id", [one for one in _calls(stage) if one["offer_id"]])


def _calls(stage: Stage) -> Sequence[Mapping[str, Any]]:
    return stage.market.control.requests(ACCOUNT)


def _counted(number: int, what: str, found: Sequence[object]) -> Iterable[str]:
    return () if len(found) == number else (f"{len(found)} {what}, not {number}",)


def one_run(stage: Stage) -> Ending:
    """A run, from its start to its end."""
    return stage.run()


def end_faults(stage: Stage) -> None:
    """The marketplace has recovered."""
    stage.market.control.clear_faults()


def fault(kind: str, **limits_and_options: Any) -> Action:
    """Put a fault of the sandbox in force; its kinds stand in the docstring of emag_pipeline.sandbox."""
    return lambda stage: _add_fault(stage, kind, limits_and_options)


def _add_fault(stage: Stage, kind: str, limits_and_options: Mapping[str, Any]) -> None:
    stage.market.control.add_fault(kind, **limits_and_options)


def settings(**changes: Any) -> Action:
    """Change settings of the sandbox."""
    return lambda stage: _set(stage, changes)


def _set(stage: Stage, changes: Mapping[str, Any]) -> None:
    stage.market.control.settings(**changes)


def all_of(*actions: Action) -> Action:
    """Several actions, one after the other."""

    def act(stage: Stage) -> None:
        for action in actions:
            action(stage)

    return act
