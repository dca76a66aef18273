"""What is wrong with a value and what would be right, in words, from what a field of the settings demands."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from emag_pipeline.errors import SettingsError
from emag_pipeline.gist import shortened

_EXAMPLES = {
    "EMAG_LANGUAGE": "en",
    "EMAG_LOG_FORMAT": "json",
    "EMAG_HOME": "/srv/emag",
    "EMAG_ALERT_WEBHOOK_URL": "https://hooks.example.com/services/T0/B0/key",
}
_SECRET = {"EMAG_ALERT_WEBHOOK_URL"}


def wrong_value(problem: Mapping[str, Any], fields: Mapping[str, FieldInfo], given: Mapping[str, str]) -> SettingsError:
    """The error for one thing that the model's validation found: variable, value, what is allowed, an example."""
    variable = str(problem["loc"][0])
    info = next((one for one in fields.values() if one.alias == variable), None)
    shown = "***" if variable in _SECRET else shortened(given.get(variable, ""))
    said = str(problem["msg"])
    needed = said.removeprefix("Value error, ") if problem["type"] == "value_error" or info is None else _needed(info)
    example = _example(variable, info)
    remedy = f"Set it like {variable}={example}" if example else ".env.example explains it"
    return SettingsError(f"{variable} is {shown}", why=needed, remedy=remedy)


def _needed(info: FieldInfo) -> str:
    kinds = get_args(info.annotation) if get_origin(info.annotation) not in (None, Literal) else (info.annotation,)
    for kind in kinds:
        if get_origin(kind) is Literal:
            return f"it is one of {', '.join(get_args(kind))}"
    if bool in kinds:
        return "it is 1 for yes or 0 for no"
    if date in kinds:
        return "a day is needed"
    if int in kinds or float in kinds:
        what = "a whole number" if int in kinds else "a number"
        return f"{what}{_range(info)} is needed"
    return "another value is needed"


def _range(info: FieldInfo) -> str:
    low = high = ""
    for one in info.metadata:
        if isinstance(one, Ge):
            low = f"from {one.ge:g}"
        elif isinstance(one, Gt):
            low = f"above {one.gt:g}"
        elif isinstance(one, Le):
            high = f"to {one.le:g}" if low.startswith("from") else f"up to {one.le:g}"
        elif isinstance(one, Lt):
            high = f"below {one.lt:g}"
    if low.startswith("from") and not high:
        high = "on"
    return "".join(f" {part}" for part in (low, "and" if low.startswith("above") and high else "", high) if part)


def _example(variable: str, info: FieldInfo | None) -> str:
    if variable in _EXAMPLES or info is None:
        return _EXAMPLES.get(variable, "")
    default = info.default
    if isinstance(default, bool):
        return str(int(default))
    if isinstance(default, float):
        return f"{default:g}"
    return str(default) if isinstance(default, int | str | date) else ""
