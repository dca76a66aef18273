"""Loads the `.sql` files of the slices: named statements, each with a comment on its purpose.

A statement follows `-- name: …`. A part shared by several statements follows `-- fragment: …` and is inserted for
`{its_name}` in the same file. `filled` inserts what only the code knows: names of tables and columns, other statements.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent.parent
_HEADING = re.compile(r"^-- (name|fragment): (\w+)$", re.MULTILINE)
#: The comment on a statement's purpose, which is not sent to the server.
_PURPOSE = re.compile(r"\A(?:--.*\n)+")
_WORD = re.compile(r"\{([a-z]\w*)\}")


@cache
def statements(file_name: str) -> dict[str, str]:
    """The statements of a file, by name; `file_name` is relative to the package, such as `sync/publish.sql`."""
    return _parts(file_name)["name"]


@cache
def fragments(file_name: str) -> dict[str, str]:
    """The fragments of a file, by name, for statements in other files that use the same rule."""
    return _parts(file_name)["fragment"]


def filled(sql: str, words: Mapping[str, str]) -> str:
    """The statement with each word in braces replaced by its text in `words`, which may itself contain such words.

    The texts are identifiers or SQL of our own, never values: those are parameters. The word `schema` is left for
    the transaction. Raises ValueError for a word that `words` does not have, or whose text contains the word itself.
    """

    def text_of(found: re.Match[str]) -> str:
        word = found[1]
        if word == "schema":
            return found[0]
        if word not in words:
            known = ", ".join(sorted(words)) or "none"
            raise ValueError(f"the SQL has the word {found[0]}, for which no text is given; known words: {known}")
        return filled(words[word], {name: text for name, text in words.items() if name != word})

    return _WORD.sub(text_of, sql)


def _parts(file_name: str) -> dict[str, dict[str, str]]:
    text = (_PACKAGE / file_name).read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {"name": {}, "fragment": {}}
    parts = _HEADING.split(text)[1:]
    for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        sql = _PURPOSE.sub("", body.strip()).strip().rstrip(";")
        found[kind][name] = _WORD.sub(lambda word: found["fragment"].get(word[1], word[0]), sql)
    return found
