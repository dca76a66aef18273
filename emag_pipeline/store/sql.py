"""Loads the `.sql` files of the slices: named statements, each with a comment on its purpose.

A statement follows `-- name: …`. A part shared by several statements follows `-- fragment: …` and is inserted for
`{its_name}` in the same file.
"""

import re
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_HEADING = re.compile(r"^-- (name|fragment): (\w+)$", re.MULTILINE)
#: The comment on a statement's purpose, which is not sent to the server.
_PURPOSE = re.compile(r"\A(?:--.*\n)+")


@cache
def statements(file_name: str) -> dict[str, str]:
    """The statements of a file, by name; `file_name` is relative to the package, such as `sync/publish.sql`."""
    return _parts(file_name)["name"]


@cache
def fragments(file_name: str) -> dict[str, str]:
    """The fragments of a file, by name, for statements in other files that use the same rule."""
    return _parts(file_name)["fragment"]


def _parts(file_name: str) -> dict[str, dict[str, str]]:
    text = (_PACKAGE / file_name).read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {"name": {}, "fragment": {}}
    parts = _HEADING.split(text)[1:]
    for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        sql = _PURPOSE.sub("", body.strip()).strip().rstrip(";")
        for fragment, stands_for in found["fragment"].items():
            sql = sql.replace(f"{{{fragment}}}", stands_for)
        found[kind][name] = sql
    return found
