"""Back up the project's schema with pg_dump: one file, one state, taken while syncs go on.

pg_dump reads in one snapshot, so the file holds what readers saw at one moment, never half a publish. Staging is left
out: it is large, unlogged, and a scan can be read again. Dagster's database is not in it; without it, the history of
runs is missing after a restore, and nothing else.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emag_pipeline.admin import postgres_programs
from emag_pipeline.atomic_file import written_at_once
from emag_pipeline.errors import PermanentError, SchemaMismatch
from emag_pipeline.local.surroundings import Databases, Say, databases, opened
from emag_pipeline.settings import Settings
from emag_pipeline.store import libpq, migrate
from emag_pipeline.wording import gist

_LOOK_SECONDS = 0.1
#: pg_dump waits so long for a table that a migration or a restore holds.
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

    `say` hears how far it is, `wait` sleeps so many seconds and raises Interrupted when a signal came. Raises
    SettingsError for a file that exists (without `force`) or cannot be written, SchemaMismatch when there is nothing to
    back up, PermanentError when pg_dump cannot do it.
    """
    began = time.monotonic()
    with written_at_once(file, force) as unfinished, databases(settings) as found:
        revision, server_version = _examined(found, settings)
        program = postgres_programs.dumping(server_version, is_embedded=settings.uses_embedded_database)
        say(f"backing up schema {settings.db_schema} of {found.shown} with pg_dump {program.version}")
        command = [
            str(program.path), "--format=custom", "--encoding=UTF8", f'--schema="{settings.db_schema}"',
            "--no-unlogged-table-data", f"--lock-wait-timeout={_LOCK_WAIT}", "--no-password", f"--file={unfinished}",
        ]  # fmt: skip
        variables = {**os.environ, **libpq.environment(found.pipeline.get_secret_value())}
        _run(command, variables, unfinished, settings.progress_interval_seconds, say, wait)
    return Backup(file, file.stat().st_size, time.monotonic() - began, revision)


def _examined(found: Databases, settings: Settings) -> tuple[str, int]:
    """The schema's revision and the server's major version."""
    with opened(found, settings) as database, database.transaction(timeout_seconds=60) as tx:
        revision = migrate.revision(tx)
        version = tx.wire().server_version // 10000
    if revision is None:
        raise SchemaMismatch(
            "there is nothing to back up",
            where=f"schema {settings.db_schema} of {found.shown}",
            why="no migration ever ran there",
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
            remedy="Correct what it says and begin again; the user needs the right to read every table of the schema",
        )


def _watch(
    process: "subprocess.Popen[bytes]", file: Path, interval: float, say: Say, wait: Callable[[float], None]
) -> None:
    next_word = time.monotonic() + interval
    while process.poll() is None:
        wait(_LOOK_SECONDS)
        if time.monotonic() >= next_word:
            say(f"{file.stat().st_size / 1e6:,.1f} MB written")
            next_word = time.monotonic() + interval


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
        return
    process.kill()
    process.wait()
