"""`emag-pipeline up`."""

import typer

from emag_pipeline.console import Narrator
from emag_pipeline.local import up as supervisor
from emag_pipeline.logs.configure import configure_service
from emag_pipeline.settings import load_settings


def up() -> None:
    """Start everything and keep it running; Ctrl-C stops it all.

    Uses the configured database (DATABASE_SYNC_URL) or starts the PostgreSQL that comes with the package; uses your
    marketplace accounts (EMAG_API_USERNAME, EMAG_API_PASSWORD) or starts the sandbox. Migrates the schema, runs
    Dagster's UI and daemon, and refreshes every account without a click. A second `up` only says where the first runs.
    """
    settings = load_settings()
    configure_service(settings)
    raise typer.Exit(supervisor.up(settings, Narrator()))
