"""SQL that is reviewed as SQL: files of named statements in the folder of their slice, `-- name: …` above each."""

import re
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statements(file_name: str) -> dict[str, str]:
    """The statements of a file, by their names; the file by its path from the package, such as `sync/publish.sql`."""
    text = (_PACKAGE / file_name).read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {name: body.strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)}
