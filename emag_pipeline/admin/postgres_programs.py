"""PostgreSQL's client programs: those installed on the machine, or those that come with the package."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from emag_pipeline import embedded
from emag_pipeline.databases import pipeline_url
from emag_pipeline.errors import PermanentError
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.settings import Settings
from emag_pipeline.store import server
from emag_pipeline.store.roles import READER


@dataclass(frozen=True, slots=True)
class PostgresProgram:
    """A program and its major version."""

    path: Path
    version: int


def pg_dump_for(server_version: int, *, is_embedded: bool) -> PostgresProgram:
    """The pg_dump for a server of that major version: the machine's if it is new enough, otherwise the package's.

    For an embedded server it is the package's. Raises PermanentError when both are older than the server.
    """
    found = [] if is_embedded else _of_this_machine("pg_dump")
    found += _of_the_package("pg_dump")
    for program in found:
        if program.version >= server_version:
            return program
    has = " and ".join(str(program.version) for program in found) or "none"
    raise PermanentError(
        f"pg_dump is older than the server, which is PostgreSQL {server_version}",
        where="backup",
        why=f"versions found: {has}",
        remedy=f"Install PostgreSQL's client programs, version {server_version} or newer "
        f"(Debian: postgresql-client-{server_version}), and check `pg_dump --version`",
    )


def newest_pg_restore() -> PostgresProgram:
    """The newest pg_restore available: it reads archives of its own and all older versions."""
    found = _of_the_package("pg_restore") + _of_this_machine("pg_restore")
    return max(found, key=lambda program: program.version)


def newest_psql() -> PostgresProgram:
    """The newest psql available."""
    found = _of_the_package("psql") + _of_this_machine("psql")
    return max(found, key=lambda program: program.version)


def _of_this_machine(name: str) -> list[PostgresProgram]:
    path = shutil.which(name)
    return [] if path is None else _with_version(Path(path))


def _of_the_package(name: str) -> list[PostgresProgram]:
    return _with_version(embedded.program(name))


def _with_version(path: Path) -> list[PostgresProgram]:
    """Empty when it cannot be run, such as Debian's wrapper without an installed version."""
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return []
    version = re.search(r"\(PostgreSQL\) (\d+)", said)
    return [] if version is None else [PostgresProgram(path, int(version[1]))]


# psql on the pipeline's database. Passwords are passed in its environment, never on its command line.


def open_psql(settings: Settings, arguments: Sequence[str]) -> int:
    """Run psql until it ends; returns its exit code. `arguments` are psql's own.

    Raises DatabaseUnavailable, SchemaMismatch; SettingsError for a database URL that psql cannot be given.
    """
    with looked_into(settings):
        environment = {**os.environ, **server.libpq_environment(pipeline_url(settings))}
        if settings.database_url is None:  # a pooler would refuse the connection because of it
            environment["PGOPTIONS"] = f"-c search_path={settings.db_schema},public"
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C cancels psql's statement, not this command
        try:
            command = [str(newest_psql().path), *arguments]
            return subprocess.run(command, env=environment, check=False, preexec_fn=_hear_signals).returncode
        finally:
            signal.signal(signal.SIGINT, before)


def connection_values(settings: Settings) -> tuple[dict[str, str], str]:
    """How a reader's own program connects to the database, without any password; and one sentence of advice.

    On the embedded server the reader is READER. Raises DatabaseUnavailable, SchemaMismatch.
    """
    with looked_into(settings):
        given = server.libpq_environment(pipeline_url(settings))
    host = given.get("PGHOST", "")
    place = {"host": host, "port": given.get("PGPORT", "5432"), "database": given.get("PGDATABASE", "")}
    if settings.database_url is not None:
        return place, ("log in as a user of your own that is a member of the group emag_reader (docs/how-to/roles.md)")
    url = f"postgresql://{READER}@/{quote(place['database'])}?host={quote(host, safe='')}"
    return {**place, "user": READER, "URL": url}, (
        "host is the directory of a Unix socket that only this operating system user can open; no password is needed; "
        "the server runs while `emag-pipeline up` does (docs/how-to/database.md)"
    )


def _hear_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
