"""A backup file, read with pg_restore: what is in it, and its rows as text."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from emag_pipeline.admin import postgres_programs
from emag_pipeline.errors import PermanentError, SettingsError
from emag_pipeline.store.own_tables import VERSION_TABLE

# The text in which pg_restore gives the data of a backup: `COPY table (columns) FROM stdin;`, rows, `\.`.
#
# Nothing of it is executed: only names and rows are taken from it, so a file from elsewhere cannot run statements here.

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


def tables_in(text: IO[bytes]) -> Iterator[TableRows]:
    """The tables of a dump, one after the other; what was not read of one is passed over."""
    while line := text.readline():
        if found := _COPY.fullmatch(line):
            schema, table, columns = (part.decode() for part in found.groups())
            rows = TableRows(schema, table, columns, text)
            yield rows
            rows.skip()


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup of one schema, at one revision; implements `admin.restoring.Dump`."""

    file: Path
    program: Path
    schema: str
    revision: str

    def tables(self) -> Iterator[TableRows]:
        """Each table's rows, one after the other. Raises PermanentError when the file is cut off or damaged."""
        with _text(self.program, self.file, "--data-only", f"--schema={self.schema}") as text:
            for rows in tables_in(text):
                yield rows
                rows.skip()
                if not rows.is_whole:
                    break


def opened(file: Path) -> Archive:
    """Look into a backup. Raises SettingsError without a file, PermanentError when it is none of this project's."""
    if not file.is_file():
        raise SettingsError(f"there is no file {file}", remedy="Give the file that `emag-pipeline backup` wrote")
    program = postgres_programs.reading().path
    versions = f"--table={VERSION_TABLE}"
    with _text(program, file, "--data-only", versions) as text:
        for rows in tables_in(text):
            revision = rows.read(1).decode().strip()
            if revision:
                return Archive(file, program, rows.schema, revision)
    raise PermanentError(
        "it is no backup of this pipeline",
        where=str(file),
        why=f"it holds no table {VERSION_TABLE}",
        remedy="Give the file that `emag-pipeline backup` wrote",
    )


@contextmanager
def _text(program: Path, file: Path, *choice: str) -> Iterator[IO[bytes]]:
    """What pg_restore says; raises PermanentError at the end unless it could say all of it."""
    command = [str(program), *choice, "--file=-", str(file)]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        assert process.stdout is not None, "a pipe was asked for"  # noqa: S101
        try:
            yield process.stdout
            process.stdout.read()  # its last words
            if process.wait() != 0:
                errors.seek(0)
                raise _unreadable(file, errors.read().strip())
        finally:
            process.stdout.close()
            process.kill()
            process.wait()


def _unreadable(file: Path, said: str) -> PermanentError:
    why = next((line for line in said.splitlines() if "error:" in line), said or "pg_restore failed")
    newer = "unsupported version" in why
    return PermanentError(
        "it was written by a newer pg_dump" if newer else "the backup is cut off, damaged, or none at all",
        where=str(file),
        why=why.removeprefix("pg_restore: error: ").rstrip("."),
        remedy="Install PostgreSQL's client programs of that version"
        if newer
        else "Nothing was changed; take another backup file",
    )
