"""Backups: written with pg_dump, read with pg_restore; one file holds one state, taken while syncs continue.

pg_dump reads in one snapshot, so the file holds what readers saw at one moment, never half a publish. Staging is left
out: it is large, unlogged, and a scan can be read again. Dagster's database is not included; without it, the history of
runs is missing after a restore, and nothing else.
"""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from emag_pipeline.admin import postgres_programs
from emag_pipeline.atomic_file import written_at_once
from emag_pipeline.errors import PermanentError, SchemaMismatch, SettingsError
from emag_pipeline.local.surroundings import Databases, Say, databases, opened
from emag_pipeline.settings import Settings
from emag_pipeline.store import migrate, server
from emag_pipeline.store.catalog import VERSION_TABLE
from emag_pipeline.wording import gist

_POLL_SECONDS = 0.1
#: How long pg_dump waits for a table that a migration or a restore holds.
_LOCK_WAIT = "60s"
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup. `bytes` is the file's size."""

    file: Path
    bytes: int
    seconds: float
    revision: str


def backup(settings: Settings, file: Path, *, force: bool, say: Say, wait: Callable[[float], None]) -> Backup:
    """Write the schema into a file that only its owner can read; it appears as a whole or not at all.

    `say` receives progress messages; `wait` sleeps so many seconds and raises Interrupted when a signal came. Raises
    SettingsError for a file that exists (without `force`) or cannot be written, SchemaMismatch when there is nothing to
    back up, PermanentError when pg_dump fails.
    """
    began = time.monotonic()
    with written_at_once(file, force) as unfinished, databases(settings) as found:
        revision, server_version = _versions(found, settings)
        program = postgres_programs.pg_dump_for(server_version, is_embedded=settings.uses_embedded_database)
        say(f"backing up schema {settings.db_schema} of {found.shown} with pg_dump {program.version}")
        command = [
            str(program.path), "--format=custom", "--encoding=UTF8", f'--schema="{settings.db_schema}"',
            "--no-unlogged-table-data", f"--lock-wait-timeout={_LOCK_WAIT}", "--no-password", f"--file={unfinished}",
        ]  # fmt: skip
        variables = {**os.environ, **server.libpq_environment(found.pipeline.get_secret_value())}
        _run(command, variables, unfinished, settings.progress_interval_seconds, say, wait)
    return Backup(file, file.stat().st_size, time.monotonic() - began, revision)


def _versions(found: Databases, settings: Settings) -> tuple[str, int]:
    """The schema's revision and the server's major version."""
    with opened(found, settings) as database, database.transaction(timeout_seconds=60) as tx:
        revision = migrate.revision(tx)
        version = tx.wire().server_version // 10000
    if revision is None:
        raise SchemaMismatch(
            "there is nothing to back up",
            where=f"schema {settings.db_schema} of {found.shown}",
            why="no migration was ever run there",
            remedy="Check the database URL and DB_SCHEMA",
        )
    return revision, version


def _run(
    command: list[str], variables: dict[str, str], file: Path, interval: float, say: Say, wait: Callable[[float], None]
) -> None:
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(
            command, env=variables, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True
        )
        try:
            _watch(process, file, interval, say, wait)
        finally:
            _end(process)
        errors.seek(0)
        said = errors.read().strip()
    if process.returncode != 0:
        raise PermanentError(
            "pg_dump failed, no backup was written",
            where="backup",
            why=gist(said) or f"exit code {process.returncode}",
            remedy="Fix the cause and run the command again; the user needs SELECT on every table of the schema",
        )


def _watch(
    process: "subprocess.Popen[bytes]", file: Path, interval: float, say: Say, wait: Callable[[float], None]
) -> None:
    next_message = time.monotonic() + interval
    while process.poll() is None:
        wait(_POLL_SECONDS)
        if time.monotonic() >= next_message:
            say(f"{file.stat().st_size / 1e6:,.1f} MB written")
            next_message = time.monotonic() + interval


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
        return
    process.kill()
    process.wait()


# Reading a backup: pg_restore prints it as text, of which only table names, column names and rows are used. Nothing of
# it is executed, so a file from elsewhere cannot run statements here.

_NAME = r'"?([a-z_][a-z0-9_]*)"?'
_COLUMNS = r'((?:"?[a-z_][a-z0-9_]*"?(?:, )?)+)'
_COPY = re.compile(rf"COPY {_NAME}\.{_NAME} \({_COLUMNS}\) FROM stdin;\n".encode())
_END = b"\\.\n"


@dataclass(slots=True)
class TableRows:
    """The rows of one table, which can be read once; `columns` are ready for SQL, quoted where necessary.

    Truncated text looks like the end of the rows: only after a proper end is `is_whole` true.
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
            if line == _END or not line.endswith(b"\n"):  # an incomplete row
                self._is_over, self.is_whole = True, line == _END
            else:
                lines.append(line)
                missing -= len(line)
        return b"".join(lines)

    def skip(self) -> None:
        """Skip the remaining rows."""
        while self.read(1 << 16):
            pass


@dataclass(frozen=True, slots=True)
class Archive:
    """A backup of one schema, at one revision."""

    file: Path
    program: Path
    schema: str
    revision: str

    def tables(self) -> Iterator[TableRows]:
        """Each table's rows, one after the other. Raises PermanentError when the file is truncated or damaged."""
        with _text(self.program, self.file, "--data-only", f"--schema={self.schema}") as text:
            for rows in _tables_in(text):
                yield rows
                rows.skip()
                if not rows.is_whole:
                    break


def open_backup(file: Path) -> Archive:
    """Open a backup. Raises SettingsError if there is no file, PermanentError if it is not one of this project's."""
    if not file.is_file():
        raise SettingsError(f"there is no file {file}", remedy="Give the file that `emag-pipeline backup` wrote")
    program = postgres_programs.newest_pg_restore().path
    with _text(program, file, "--data-only", f"--table={VERSION_TABLE}") as text:
        for rows in _tables_in(text):
            revision = rows.read(1).decode().strip()
            if revision:
                return Archive(file, program, rows.schema, revision)
    raise PermanentError(
        "the file is not a backup of this pipeline",
        where=str(file),
        why=f"it holds no table {VERSION_TABLE}",
        remedy="Give the file that `emag-pipeline backup` wrote",
    )


def _tables_in(text: IO[bytes]) -> Iterator[TableRows]:
    """The tables of a dump, one after the other; unread rows of a table are skipped."""
    while line := text.readline():
        if found := _COPY.fullmatch(line):
            schema, table, columns = (part.decode() for part in found.groups())
            rows = TableRows(schema, table, columns, text)
            yield rows
            rows.skip()


@contextmanager
def _text(program: Path, file: Path, *choice: str) -> Iterator[IO[bytes]]:
    """What pg_restore prints; raises PermanentError at the end unless it could print all of it."""
    command = [str(program), *choice, "--file=-", str(file)]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors)
        assert process.stdout is not None, "a pipe was asked for"  # noqa: S101
        try:
            yield process.stdout
            process.stdout.read()  # whatever is left, so that it can end
            if process.wait() != 0:
                errors.seek(0)
                raise _unreadable(file, errors.read().strip())
        finally:
            process.stdout.close()
            process.kill()
            process.wait()


def _unreadable(file: Path, said: str) -> PermanentError:
    why = next((line for line in said.splitlines() if "error:" in line), said or "pg_restore failed")
    is_newer = "unsupported version" in why
    return PermanentError(
        "the backup was written by a newer pg_dump"
        if is_newer
        else "the file is truncated, damaged or not a backup, nothing was restored",
        where=str(file),
        why=why.removeprefix("pg_restore: error: ").rstrip("."),
        remedy="Install PostgreSQL's client programs of that version" if is_newer else "Use another backup file",
    )
