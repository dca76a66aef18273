"""Rows in PostgreSQL's COPY text format (manual: COPY, "Text Format"). Any Unicode but NUL passes."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"'})


def line(values: Iterable[object]) -> str:
    """One row, with its line end."""
    return "\t".join([field(value) for value in values]) + "\n"


def field(value: object) -> str:
    """One value: None, text, numbers, booleans, bytes, times, uuids, and tuples of text or integers."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES) if _needs_escape(value) else value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, tuple):
        return _array(value).translate(_ESCAPES)
    if isinstance(value, int | Decimal | datetime | UUID):
        return str(value)
    raise TypeError(f"COPY cannot write a {type(value).__name__}")


def _needs_escape(text: str) -> bool:
    return "\\" in text or "\n" in text or "\t" in text or "\r" in text


def _array(items: tuple[object, ...]) -> str:
    parts = [f'"{item.translate(_QUOTED)}"' if isinstance(item, str) else str(item) for item in items]
    return "{" + ",".join(parts) + "}"
