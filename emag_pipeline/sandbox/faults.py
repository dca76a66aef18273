"""Faults on command: what goes wrong, for whom, how often. The package's docstring lists them for users."""

import itertools
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.fault_kinds import checked


@dataclass(frozen=True, slots=True)
class Target:
    """What a fault may be limited to, of the call at hand. `offer_ids` are those that its answer shows."""

    account: str
    resource: str
    page: int | None
    offer_ids: Collection[int] = ()
    #: how many rows it asks for; None where it does not say
    size: int | None = None


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong. Without limits it goes wrong at every call until it is cleared."""

    number: int
    kind: str
    limits: Mapping[str, Any]
    options: Mapping[str, Any]
    created: float = field(default_factory=time.monotonic)
    matched: int = 0
    done: int = 0

    def matches(self, target: Target) -> bool:
        """True when the call is one that this fault is meant for."""
        limits = self.limits
        return (
            limits.get("account") in (None, target.account)
            and target.resource.startswith(limits.get("resource", ""))
            and ("pages" not in limits or target.page in limits["pages"])
            and ("sizes" not in limits or target.size in limits["sizes"])
            and ("offer_ids" not in limits or any(one in target.offer_ids for one in limits["offer_ids"]))
            and (target.page is not None or self.options.get("by_id", True))
        )

    @property
    def spent(self) -> bool:
        """True when it has happened often or long enough."""
        count, seconds = self.limits.get("count"), self.limits.get("for_seconds")
        return (count is not None and self.done >= count) or (
            seconds is not None and time.monotonic() > self.created + seconds
        )

    def described(self) -> dict[str, Any]:
        """The fault as JSON, with how often it matched and happened."""
        described = {"id": self.number, "kind": self.kind, "matched": self.matched, "done": self.done}
        return described | dict(self.limits) | dict(self.options)


class Faults:
    """The faults in force. Of the kinds asked for, the first one added that matches a call happens."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = Lock()
        self._numbers = itertools.count(1)
        self._faults: dict[int, Fault] = {}

    def add(self, description: Mapping[str, Any]) -> int:
        """Put a fault in force; returns its id. Raises FaultError for an unknown kind, limit or option."""
        kind, limits, options = checked(description)
        with self._lock:
            number = next(self._numbers)
            self._faults[number] = Fault(number, kind, limits, options)
        return number

    def clear(self, number: int | None = None, kind: str | None = None) -> int:
        """End one fault, all of a kind, or all; returns how many."""
        with self._lock:
            ended = [one for one in self._faults.values() if number in (None, one.number) and kind in (None, one.kind)]
            for fault in ended:
                del self._faults[fault.number]
        return len(ended)

    def described(self) -> list[dict[str, Any]]:
        """All faults added and not cleared, spent ones too."""
        with self._lock:
            return [fault.described() for fault in self._faults.values()]

    def in_force(self, kind: str) -> bool:
        """True when a fault of this kind may still happen to somebody."""
        with self._lock:
            return any(fault.kind == kind and not fault.spent for fault in self._faults.values())

    def take(self, kinds: Collection[str], target: Target) -> Fault | None:
        """The fault of these kinds that happens to this call, counted as happened; None for a good day."""
        with self._lock:
            for fault in self._faults.values():
                if fault.kind in kinds and not fault.spent and fault.matches(target) and self._strikes(fault):
                    fault.done += 1
                    return fault
        return None

    def _strikes(self, fault: Fault) -> bool:
        fault.matched += 1
        if fault.matched <= fault.limits.get("after", 0):
            return False
        chances: int = round(fault.limits.get("probability", 1.0) * 10**6)
        return Chance(self._seed, "fault", fault.number, fault.matched).below(10**6) < chances
