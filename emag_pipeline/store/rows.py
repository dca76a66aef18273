"""Turns the rows of a statement into dataclasses, one field per column."""

from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from sqlalchemy import CursorResult

T = TypeVar("T")


def rows_of(result: CursorResult[Any], kind: Callable[..., T]) -> list[T]:
    """All rows, each as `kind`: a dataclass with a field per column, or a function with a parameter per column.

    A column whose field is an enum becomes a member of it. An unknown or a missing column raises TypeError.
    """
    enums = _enums(kind)
    made = []
    for row in result.mappings().all():
        members = {name: enum(row[name]) for name, enum in enums.items() if row.get(name) is not None}
        made.append(kind(**{**row, **members}))
    return made


def row_of(result: CursorResult[Any], kind: Callable[..., T]) -> T | None:
    """The only row as `kind`, see `rows_of`; None if there is none."""
    rows = rows_of(result, kind)
    if len(rows) > 1:
        raise ValueError(f"{len(rows)} rows instead of one")
    return rows[0] if rows else None


@cache
def _enums(kind: Callable[..., Any]) -> dict[str, type[Enum]]:
    """The fields whose type is an enum, or an enum or None."""
    return {
        name: part
        for name, hint in get_type_hints(kind).items()
        for part in (hint, *get_args(hint))
        if isinstance(part, type) and issubclass(part, Enum)
    }
