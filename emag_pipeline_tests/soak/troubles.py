"""What goes wrong: each trouble does its harm at once and is over by itself after `seconds`."""

import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from emag_pipeline_tests.soak.stack import ACCOUNTS, Stack

Chance = random.Random


@dataclass(frozen=True, slots=True)
class Trouble:
    """`begin` returns what ends it; `seconds` is how long it lasts, 0 for a blow."""

    name: str
    seconds: tuple[float, float]
    begin: Callable[[Stack, Chance, float], Callable[[], None]]


def _nothing() -> None:
    return None


def _fault(kind: str, **options: object) -> Callable[[Stack, Chance, float], Callable[[], None]]:
    def begin(stack: Stack, chance: Chance, seconds: float) -> Callable[[], None]:
        stack.market.add_fault(kind, for_seconds=seconds, **options)
        return _nothing

    return begin


def _drift(stack: Stack, chance: Chance, seconds: float) -> Callable[[], None]:
    change = chance.choice(["arrival", "departure", "price", "stock"])
    stack.market.add_fault("drift", change=change, offers=chance.randint(1, 3), pages=[2, 3], count=2)
    return _nothing


def _days_work(stack: Stack, chance: Chance, seconds: float) -> Callable[[], None]:
    stack.market.advance(changes=chance.randint(10, 60))
    return _nothing


def _hide(stack: Stack, chance: Chance, seconds: float) -> Callable[[], None]:
    account = chance.choice(ACCOUNTS)
    hidden = chance.sample(stack.market.ids(account), 10)
    stack.market.hide(account, hidden)
    return lambda: stack.market.show(account, hidden)


def _kill(find: Callable[[Stack], list[psutil.Process]]) -> Callable[[Stack, Chance, float], Callable[[], None]]:
    def begin(stack: Stack, chance: Chance, seconds: float) -> Callable[[], None]:
        for process in find(stack):
            with contextlib.suppress(psutil.Error):
                process.kill()
        return _nothing

    return begin


def _freeze(stack: Stack, chance: Chance, seconds: float) -> Callable[[], None]:
    """Stop the runs under way, as a machine that swaps or a paused container does, and let them go on later."""
    frozen = stack.workers()
    for process in frozen:
        with contextlib.suppress(psutil.Error):
            process.suspend()

    def thaw() -> None:
        for process in frozen:
            with contextlib.suppress(psutil.Error):
                process.resume()

    return thaw


def _database(stack: Stack, crash: bool) -> list[psutil.Process]:
    postmaster = stack.postmaster()
    if postmaster is None:
        return []
    return [postmaster, *postmaster.children(recursive=True)] if crash else [postmaster]


def _restart_database(stack: Stack, chance: Chance, seconds: float) -> Callable[[], None]:
    for postmaster in _database(stack, crash=False):
        postmaster.send_signal(2)  # a fast shutdown; `up` starts the server again
    return _nothing


_BLOW = (0.0, 0.0)
_SPELL = (5.0, 40.0)

TROUBLES = (
    Trouble("server errors", _SPELL, _fault("server_error")),
    Trouble("some server errors", _SPELL, _fault("server_error", probability=0.3)),
    Trouble("answers that never come", _SPELL, _fault("hang")),
    Trouble("connections that break", _SPELL, _fault("reset")),
    Trouble("answers that break off", _SPELL, _fault("truncated_json", probability=0.5)),
    Trouble("HTML instead of JSON", _SPELL, _fault("html_200", probability=0.5)),
    Trouble("slow answers", _SPELL, _fault("slow", seconds=5)),
    Trouble("too many requests, says the API", _SPELL, _fault("storm_429", retry_after=3, probability=0.5)),
    Trouble("rows that cannot be represented", _SPELL, _fault("poison", row="price", pages=[1])),
    Trouble("a catalogue that moves while it is read", _BLOW, _drift),
    Trouble("a day's work on the catalogue", _BLOW, _days_work),
    Trouble("offers hidden from pages", (20.0, 60.0), _hide),
    Trouble("runs killed", _BLOW, _kill(lambda stack: stack.workers())),
    Trouble("runs frozen", (20.0, 60.0), _freeze),
    Trouble("the code servers killed", _BLOW, _kill(lambda stack: stack.up.processes("api", "grpc"))),
    Trouble("the daemon killed", _BLOW, _kill(lambda stack: stack.up.processes("dagster._daemon"))),
    Trouble("the database restarted", _BLOW, _restart_database),
    Trouble("the database crashed", _BLOW, _kill(lambda stack: _database(stack, crash=True))),
)
