"""Cron expressions of the settings: the five numeric fields of cron(8), and `H` for a minute.

`H` is Jenkins' notation for a hashed minute: each account gets its own, always the same, so that accounts do not all
start at once or on round times. `H * * * *` is hourly, `H/15 * * * *` four times an hour.
"""

import re

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_PART = re.compile(r"(?:\*|(?P<from>\d{1,2})(?:-(?P<to>\d{1,2}))?)(?:/(?P<step>\d{1,2}))?", re.ASCII)
_OWN_MINUTE = re.compile(r"H(?:/(?P<step>\d{1,2}))?", re.ASCII)
_LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


def checked(expression: str) -> str:
    """The expression with single spaces. The ValueError for a wrong one names the field and what is allowed there."""
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ValueError("five fields are needed: minute, hour, day of month, month, day of week, e.g. `H 3 * * *`")
    for text, (name, low, high) in zip(fields, _FIELDS, strict=True):
        own_minute = name == "minute" and _OWN_MINUTE.fullmatch(text)
        if not (_is_step(own_minute["step"], high) if own_minute else _is_field(text, low, high)):
            letters = " and `H`" if name == "minute" else ""
            raise ValueError(
                f"{text!r} is not a valid {name}: allowed are `*`{letters}, numbers from {low} to {high}, `1-5`, "
                "`*/2` and `1,3`"
            )
    _require_day(fields)
    return " ".join(fields)


def with_minute(expression: str, minute: int) -> str:
    """The checked expression as plain cron, with `minute` for its `H`."""
    first, rest = expression.split(" ", 1)
    own = _OWN_MINUTE.fullmatch(first)
    if own is None:
        return expression
    if own["step"] is None:
        return f"{minute} {rest}"
    step = int(own["step"])
    return f"{minute % step}-59/{step} {rest}"


def _is_field(text: str, low: int, high: int) -> bool:
    return all(_is_part(part, low, high) for part in text.split(","))


def _is_part(text: str, low: int, high: int) -> bool:
    part = _PART.fullmatch(text)
    if part is None or not _is_step(part["step"], high):
        return False
    if part["from"] is None:
        return True
    first = int(part["from"])
    last = first if part["to"] is None else int(part["to"])
    is_range = part["to"] is not None
    return low <= first <= last <= high and (is_range or part["step"] is None)


def _is_step(text: str | None, high: int) -> bool:
    return text is None or 1 <= int(text) <= high


def _require_day(fields: list[str]) -> None:
    """Refuse a day that the month never has, such as 30 February."""
    _, _, day, month, weekday = fields
    if weekday == "*" and day.isdigit() and month.isdigit() and int(day) > _LONGEST_MONTHS.get(int(month), 31):
        raise ValueError(f"month {month} has no day {day}")
