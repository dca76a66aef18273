"""Faults on demand: their kinds and options, the calls that they affect, and how often."""

import itertools
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from math import isfinite
from threading import Lock
from typing import Any

from emag_pipeline.sandbox.catalogue.chance import Chance

#: replace the marketplace's response
ANSWERS = frozenset({"server_error", "html_200", "is_error", "storm_429"})
#: refuse the caller: with a message, in one of several forms, with any status
REFUSALS = frozenset({"wrong_credentials", "ip_not_whitelisted", "invalid_ip", "not_allowed"})
#: damage the body of a good response
BODIES = frozenset({"truncated_json", "missing_is_error"})
#: disturb the connection
CONNECTIONS = frozenset({"hang", "reset", "dribble"})
#: faults of a whole call, at most one per call; the other kinds change the content of pages and counts
AT_THE_DOOR = ANSWERS | REFUSALS | BODIES | CONNECTIONS | {"slow"}

#: every kind with its options and their defaults
OPTIONS: dict[str, dict[str, Any]] = {
    "server_error": {"status": 503},
    "html_200": {},
    "is_error": {"message": "An internal error has occurred", "status": 200},
    "storm_429": {"retry_after": None},
    "wrong_credentials": {"status": 401, "form": "messages", "message": None},
    "ip_not_whitelisted": {"status": 403, "form": "messages", "message": None},
    "invalid_ip": {"status": 403, "form": "messages", "message": None},
    "not_allowed": {"status": 403, "form": "messages", "message": None},
    "truncated_json": {"keep": 0.5, "cut": "json"},
    "missing_is_error": {},
    "hang": {"seconds": None},
    "reset": {"after_bytes": 0},
    "dribble": {"seconds": 1.0, "part": "body"},
    "slow": {"seconds": 5.0},
    "drift": {"change": "departure", "offers": 1},
    "endless_pages": {},
    "ignores_page": {},
    "ignores_filters": {},
    "too_many_rows": {"rows": 500},
    "breaks_page": {"how": "status", "status": 500, "by_id": True},
    "repeated_page": {"shows": 1},
    "empty_page": {},
    "short_page": {"missing": 1},
    "poison": {"row": "nul", "rows": 1},
    "count_lies": {"difference": None, "offers": None},
}
LIMITS = frozenset(
    {"account", "resource", "pages", "sizes", "offer_ids", "probability", "count", "after", "for_seconds"}
)
CHOICES: dict[tuple[str, str], frozenset[str]] = {
    ("truncated_json", "cut"): frozenset({"json", "connection"}),
    **{(kind, "form"): frozenset({"messages", "objects", "errors", "bare", "html"}) for kind in REFUSALS},
    ("breaks_page", "how"): frozenset({"status", "hang", "reset", "cut"}),
    ("dribble", "part"): frozenset({"headers", "body"}),
    ("drift", "change"): frozenset({"departure", "arrival", "price", "stock", "standing", "edition"}),
    ("poison", "row"): frozenset(
        {"nul", "price", "no_id", "huge_id", "same_id_twice", "same_id_instead", "price_first", "no_id_first"}
        | {"long_name", "surrogate", "types"}
    ),
}


class FaultError(ValueError):
    """The description of a fault is invalid; the message says why."""


def checked(description: Mapping[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Kind, limits and options of a description. Raises FaultError for an unknown kind, key or value."""
    kind = description.get("kind")
    if not isinstance(kind, str) or kind not in OPTIONS:
        raise FaultError(f"Unknown fault {kind!r}; the known ones are {', '.join(sorted(OPTIONS))}.")
    defaults = OPTIONS[kind]
    given = {name: value for name, value in description.items() if name != "kind" and value is not None}
    if unknown := sorted(given.keys() - defaults.keys() - LIMITS):
        allowed = ", ".join(sorted(defaults.keys() | LIMITS))
        raise FaultError(f"The fault {kind} has no option {unknown[0]!r}; its options are {allowed}.")
    for name, value in given.items():
        _check(kind, name, value)
    limits = {name: value for name, value in given.items() if name in LIMITS}
    return kind, limits, defaults | {name: value for name, value in given.items() if name in defaults}


def _check(kind: str, name: str, value: Any) -> None:
    choices = CHOICES.get((kind, name))
    if choices is not None:
        if not isinstance(value, str) or value not in choices:
            raise FaultError(f"The fault {kind} has no {name} {value!r}, only {', '.join(sorted(choices))}.")
        return
    fits, allowed = _FORMS[name]
    if not fits(value):
        raise FaultError(f"The option {name} of the fault {kind} must be {allowed}, not {value!r}.")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any, lowest: int = 0) -> bool:
    return type(value) is int and value >= lowest


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value) and value >= 0


def _is_share(value: Any) -> bool:
    return _is_number(value) and value <= 1


def _are_whole(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_whole, value))


_Form = tuple[Callable[[Any], bool], str]
_TEXT: _Form = (_is_text, "a text")
_WHOLE: _Form = (_is_whole, "a whole number from 0")
_FROM_1: _Form = (lambda value: _is_whole(value, 1), "a whole number from 1")
_SECONDS: _Form = (_is_number, "a number of seconds")
_SHARE: _Form = (_is_share, "a number from 0 to 1")
_LIST: _Form = (_are_whole, "a list of whole numbers")
_FORMS: dict[str, _Form] = {
    "account": _TEXT,
    "resource": _TEXT,
    "message": _TEXT,
    "pages": _LIST,
    "sizes": _LIST,
    "offer_ids": _LIST,
    "probability": _SHARE,
    "keep": _SHARE,
    "count": _WHOLE,
    "after": _WHOLE,
    "after_bytes": _WHOLE,
    "offers": _WHOLE,
    "missing": _WHOLE,
    "rows": _WHOLE,
    "shows": _FROM_1,
    "for_seconds": _SECONDS,
    "seconds": _SECONDS,
    "retry_after": _SECONDS,
    "status": (lambda value: _is_whole(value, 200) and value <= 599, "an HTTP status from 200 to 599"),
    "by_id": (lambda value: isinstance(value, bool), "true or false"),
    "difference": (lambda value: type(value) is int, "a whole number"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """The properties of a call that limits of faults refer to. `offer_ids` are the offers in its response."""

    account: str
    resource: str
    page: int | None
    offer_ids: Collection[int] = ()
    #: the page size it asks for; None if it is not given
    size: int | None = None


@dataclass(slots=True)
class Fault:
    """One fault in force. Without limits it affects every call until it is cleared."""

    number: int
    kind: str
    limits: Mapping[str, Any]
    options: Mapping[str, Any]
    created: float = field(default_factory=time.monotonic)
    matched: int = 0
    done: int = 0

    def matches(self, target: Target) -> bool:
        """True if the fault's limits include this call."""
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
        """True if it has reached its count or its duration."""
        count, seconds = self.limits.get("count"), self.limits.get("for_seconds")
        return (count is not None and self.done >= count) or (
            seconds is not None and time.monotonic() > self.created + seconds
        )

    def described(self) -> dict[str, Any]:
        """The fault as JSON, with the number of times it matched and happened."""
        described = {"id": self.number, "kind": self.kind, "matched": self.matched, "done": self.done}
        return described | dict(self.limits) | dict(self.options)


class Faults:
    """The faults in force. Among several that match a call, the first one added happens."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = Lock()
        self._numbers = itertools.count(1)
        self._faults: dict[int, Fault] = {}

    def add(self, description: Mapping[str, Any]) -> int:
        """Start a fault and return its id. Raises FaultError for an unknown kind, limit or option."""
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
        """All faults that were not cleared, including spent ones."""
        with self._lock:
            return [fault.described() for fault in self._faults.values()]

    def in_force(self, kind: str) -> bool:
        """True if a fault of this kind may still happen."""
        with self._lock:
            return any(fault.kind == kind and not fault.spent for fault in self._faults.values())

    def take(self, kinds: Collection[str], target: Target) -> Fault | None:
        """The fault of these kinds that affects this call, counted as happened; None if there is none."""
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
