"""PostgreSQL's shell on the pipeline's database; passwords reach it by its environment, never by its command line."""

import os
import signal
import subprocess
from collections.abc import Sequence

from emag_pipeline.databases import pipeline_url
from emag_pipeline.db import libpq
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


def _hear_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
