"""Typed rows at the border: what a statement returns becomes dataclasses, column by field."""

from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from sqlalchemy import CursorResult

T = TypeVar("T")


def rows_of(result: CursorResult[Any], kind: Callable[..., T]) -> list[T]:
    """All rows, each as `kind`: a dataclass with a field for each column, or a function that makes one of them.

    A column whose field is an enum becomes a member of it. A column that `kind` does not know is a TypeError, as is one
    that it needs and that the statement does not select.
    """
    enums = _enums(kind)
    made = []
    for row in result.mappings().all():
        members = {name: enum(row[name]) for name, enum in enums.items() if row.get(name) is not None}
        made.append(kind(**{**row, **members}))
    return made


def row_of(result: CursorResult[Any], kind: Callable[..., T]) -> T | None:
    """The only row as `kind`, see `rows_of`; None where there is none."""
    rows = rows_of(result, kind)
    if len(rows) > 1:
        raise ValueError(f"{len(rows)} rows where one was looked for")
    return rows[0] if rows else None


@cache
def _enums(kind: Callable[..., Any]) -> dict[str, type[Enum]]:
    """The fields that are enums, alone or beside None."""
    return {
        name: part
        for name, hint in get_type_hints(kind).items()
        for part in (hint, *get_args(hint))
        if isinstance(part, type) and issubclass(part, Enum)
    }
