"""PostgreSQL's shell on the pipeline's database; passwords reach it by its environment, never by its command line."""

import os
import signal
import subprocess
from collections.abc import Sequence
from urllib.parse import quote

from emag_pipeline.databases import pipeline_url
from emag_pipeline.db import libpq
from emag_pipeline.db.roles import READER
from emag_pipeline.operations import postgres_programs
from emag_pipeline.operations.embedded_use import looked_into
from emag_pipeline.settings import Settings


def open_psql(settings: Settings, arguments: Sequence[str]) -> int:
    """Run psql until it ends; returns its exit code. `arguments` are psql's own.

    Raises DatabaseUnavailable, SchemaMismatch; SettingsError for a database URL that psql cannot be given.
    """
    with looked_into(settings):
        environment = {**os.environ, **libpq.environment(pipeline_url(settings))}
        if settings.database_url is None:  # a pooler would refuse the connection because of it
            environment["PGOPTIONS"] = f"-c search_path={settings.db_schema},public"
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C cancels psql's statement, not this command
        try:
            command = [str(postgres_programs.shell().path), *arguments]
            return subprocess.run(command, env=environment, check=False, preexec_fn=_hear_signals).returncode
        finally:
            signal.signal(signal.SIGINT, before)


def told(settings: Settings) -> tuple[dict[str, str], str]:
    """How a reader's own program reaches the database, by name, without any password; and what else there is to know.

    On the embedded server the reader is READER. Raises DatabaseUnavailable, SchemaMismatch.
    """
    with looked_into(settings):
        given = libpq.environment(pipeline_url(settings))
    host = given.get("PGHOST", "")
    place = {"host": host, "port": given.get("PGPORT", "5432"), "database": given.get("PGDATABASE", "")}
    if settings.database_url is not None:
        return place, (
            "a user of your own that is a member of the group emag_reader logs in there (docs/how-to/roles.md)"
        )
    url = f"postgresql://{READER}@/{quote(place['database'])}?host={quote(host, safe='')}"
    return {**place, "user": READER, "URL": url}, (
        "host is the directory of a Unix socket, open to this user of the operating system alone; no password is "
        "asked; the server runs while `emag-pipeline up` does (docs/how-to/database.md)"
    )


def _hear_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
