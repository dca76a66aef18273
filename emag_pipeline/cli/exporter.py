"""`emag-pipeline exporter`."""

import typer

from emag_pipeline.local.exporter import export
from emag_pipeline.logs.configure import configure_service
from emag_pipeline.settings import load_settings


def exporter() -> None:
    """Give metrics to Prometheus and answer probes, until Ctrl-C; `up` runs it too.

    /metrics on EMAG_SYNC_METRICS_PORT (docs/metrics.md lists them); on EMAG_SYNC_HEALTH_PORT /health, which is 503
    when something needs a person and says what to do, and /ready, which is 503 while the database cannot be read.
    Both are bound to EMAG_SYNC_BIND. Only reads the database, and lives on when that is away.
    """
    settings = load_settings()
    configure_service(settings)
    raise typer.Exit(export(settings, typer.echo))
