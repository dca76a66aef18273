"""The settings of a running sandbox."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any, Literal, get_args

from emag_pipeline.sandbox.catalogue.shelf import Order, Place

#: Where reads and counts accept pagination and filters: at the top level of the body, under its key `data`, or in both
#: places, where the top level wins (docs/marketplace-api.md, "Calls and responses"); or nowhere, so that all are
#: ignored.
Parameters = Literal["top", "data", "both", "neither"]


class SettingError(ValueError):
    """A setting is unknown or its value is not allowed; the message names it and the allowed values."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """How the sandbox behaves for all accounts.

    A limit of 0 means no limit. `seconds_per_offer` is added to the latency of a read for each row that it returns.
    `shape_share` is the share of offers in the shapes seen from real accounts (the others follow the vendor's
    document), `quirk_share` the share of offers in PHP's variants of types.
    """

    requests_per_second: float = 3
    requests_per_minute: float = 180
    latency_seconds: float = 0.0
    seconds_per_offer: float = 0.0
    shape_share: float = 0.95
    quirk_share: float = 0.06
    changes_per_second: float = 0.0
    order: Order = "id"
    arrivals: Place = "end"
    parameters: Parameters = "top"

    def changed(self, changes: Mapping[str, Any]) -> "SandboxSettings":
        """A copy with some settings changed. Raises SettingError for a name or value that is not allowed."""
        known = asdict(self)
        for name, value in changes.items():
            if name not in known:
                raise SettingError(f"Unknown setting {name!r}; the known ones are {', '.join(known)}.")
            _check(name, value)
        return replace(self, **changes)


def _check(name: str, value: Any) -> None:
    words = {"order": get_args(Order), "arrivals": get_args(Place), "parameters": get_args(Parameters)}.get(name)
    if words is not None:
        if value not in words:
            raise SettingError(f"{name} must be one of {', '.join(words)}, not {value!r}.")
    elif type(value) not in (int, float) or not isfinite(value) or value < 0:
        raise SettingError(f"{name} must be a number from 0, not {value!r}.")
    elif name in ("requests_per_second", "requests_per_minute") and 0 < value < 1:
        raise SettingError(f"{name} must be 0 (no limit) or a number from 1, not {value!r}.")
    elif name in ("quirk_share", "shape_share") and value > 1:
        raise SettingError(f"{name} must be a share from 0 to 1, not {value!r}.")
