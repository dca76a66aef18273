"""SQL that is reviewed as SQL: files of named statements in the folder of their slice, each with a line on its purpose.

A statement follows `-- name: …`. What several statements share follows `-- fragment: …`, and `{its_name}` stands for
it wherever the file says so.
"""

import re
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_HEADING = re.compile(r"^-- (name|fragment): (\w+)$", re.MULTILINE)
#: The lines on a statement's purpose: for readers of the file, and no part of what is sent.
_PURPOSE = re.compile(r"\A(?:--.*\n)+")


@cache
def statements(file_name: str) -> dict[str, str]:
    """The statements of a file, by their names; the file by its path from the package, such as `sync/publish.sql`."""
    return _parts(file_name)["name"]


@cache
def fragments(file_name: str) -> dict[str, str]:
    """What statements of a file share, by its names; for statements of other files that rest on the same rule."""
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
