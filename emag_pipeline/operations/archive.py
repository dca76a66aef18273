"""A backup file, read with pg_restore: what is in it, and its rows as text."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from emag_pipeline.db import dump_text
from emag_pipeline.db.dump_text import TableRows
from emag_pipeline.db.own_tables import VERSION_TABLE
from emag_pipeline.errors import PermanentError, SettingsError
from emag_pipeline.operations import postgres_programs


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup of one schema, at one revision; implements `db.restore.Dump`."""

    file: Path
    program: Path
    schema: str
    revision: str

    def tables(self) -> Iterator[TableRows]:
        """Each table's rows, one after the other. Raises PermanentError when the file is cut off or damaged."""
        with _text(self.program, self.file, "--data-only", f"--schema={self.schema}") as text:
            for rows in dump_text.tables(text):
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
        for rows in dump_text.tables(text):
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
