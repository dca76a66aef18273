"""Rows as CSV (RFC 4180: commas, quotes doubled, CRLF), in which null and the empty text differ.

By hand: before Python 3.12 the standard library's writer cannot tell them apart, and pyarrow's knows no arrays.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from emag_pipeline.wording import iso

_QUOTED = re.compile(r'[",\r\n]|^\s|\s$')

#: Where a spreadsheet would see a formula begin: at the start of a text, and - as it may take the semicolon or the tab
#: for the separator (Excel in Romanian, Bulgarian and Hungarian does) - after each of these and each line break. What
#: begins one: = + - @, also in full width, after spaces, quotes and invisible signs. Source: OWASP, "CSV Injection".
_FORMULA = re.compile(
    r'^(?=[\t\r\n])|(?:^|(?<=[;\t\r\n]))(?=(?:[^\S\t\r\n]|["\u200b-\u200f\u2060\ufeff])*[=+\-@＝＋－＠])'
)


def header(names: Iterable[str]) -> str:
    """The first line."""
    return ",".join(names) + "\r\n"


def lines(rows: Iterable[Sequence[Any]], *, raw: bool = False) -> str:
    """A line for each row.

    None is empty, times are ISO 8601 with their offset, lists are JSON. Texts are made safe for spreadsheets with
    `defused`, unless `raw`; numbers and times never need it.
    """
    written = _WRITTEN | ({str: _quoted, list: _raw_list} if raw else {})
    return "".join([",".join([written[type(value)](value) for value in row]) + "\r\n" for row in rows])


def defused(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet would take for the beginning of a formula."""
    return _FORMULA.sub("'", text)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if text == "" or _QUOTED.search(text) else text


def _safe(text: str) -> str:
    return _quoted(defused(text))


def _list(value: list[Any]) -> str:
    return _safe(json.dumps(value, ensure_ascii=False))


def _raw_list(value: list[Any]) -> str:
    return _quoted(json.dumps(value, ensure_ascii=False))


#: By the type as the driver reads it.
_WRITTEN: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    str: _safe,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: repr,
    Decimal: "{:f}".format,
    datetime: iso,
    date: date.isoformat,
    list: _list,
}
