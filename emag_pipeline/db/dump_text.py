"""The text in which pg_restore gives the data of a backup: `COPY table (columns) FROM stdin;`, rows, `\\.`.

Nothing of it is executed: only names and rows are taken from it, so a file from elsewhere cannot run statements here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

_NAME = r'"?([a-z_][a-z0-9_]*)"?'
_COLUMNS = r'((?:"?[a-z_][a-z0-9_]*"?(?:, )?)+)'
_COPY = re.compile(rf"COPY {_NAME}\.{_NAME} \({_COLUMNS}\) FROM stdin;\n".encode())
_END = b"\\.\n"


@dataclass(slots=True)
class TableRows:
    """The rows of one table, to be read once; `columns` are ready for SQL, quoted where need be.

    A text that ends before its rows do reads like the end of the rows; `is_whole` tells.
    """

    schema: str
    table: str
    columns: str
    text: IO[bytes] = field(repr=False)
    is_whole: bool = False
    _is_over: bool = False

    def read(self, size: int, /) -> bytes:
        """Some whole rows, `size` bytes and up to one row more; empty at the end."""
        lines: list[bytes] = []
        missing = size
        while missing > 0 and not self._is_over:
            line = self.text.readline()
            if line == _END or not line.endswith(b"\n"):  # half a row is none
                self._is_over, self.is_whole = True, line == _END
            else:
                lines.append(line)
                missing -= len(line)
        return b"".join(lines)

    def skip(self) -> None:
        """Pass over the rows that are left."""
        while self.read(1 << 16):
            pass


def tables(text: IO[bytes]) -> Iterator[TableRows]:
    """The tables of a dump, one after the other; what was not read of one is passed over."""
    while line := text.readline():
        if found := _COPY.fullmatch(line):
            schema, table, columns = (part.decode() for part in found.groups())
            rows = TableRows(schema, table, columns, text)
            yield rows
            rows.skip()
