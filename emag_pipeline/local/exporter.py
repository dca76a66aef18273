"""`emag-pipeline exporter`: runs the exporter until a signal stops it."""

import threading
from collections.abc import Callable

from emag_pipeline.databases import unchecked_database
from emag_pipeline.errors import Interrupted
from emag_pipeline.local.stop_signals import StopSignals
from emag_pipeline.monitoring.exporter import Exporter
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database

#: A frozen database delays a scrape by two of these (an old connection, then a new one), which is less than
#: Prometheus's default timeout of ten seconds.
_WAIT_SECONDS = 3.0
_LONG_SECONDS = 3600.0


def export(settings: Settings, say: Callable[[str], None]) -> int:
    """Serve until a signal arrives; returns the exit code (130 after Ctrl-C, 0 after SIGTERM).

    Read-only, and starts without a database. Raises SettingsError if a port cannot be used. Main thread only.
    """
    with StopSignals() as signals:
        exporter = Exporter(settings, Connection(settings).database)
        exporter.start()
        say(f"metrics: {exporter.metrics.url}/metrics")
        say(f"health: {exporter.health.url}/health and {exporter.health.url}/ready")
        try:
            while True:
                signals.wait(_LONG_SECONDS)
        except Interrupted:
            exporter.stop()
            return signals.exit_code


class Connection:
    """The database of the settings, opened lazily: the embedded server's address is known only while it runs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._database: Database | None = None

    def database(self) -> Database:
        """The database, the same object each time. Raises DatabaseUnavailable while the embedded server is down."""
        with self._lock:
            if self._database is None:
                self._database = unchecked_database(self._settings, most_seconds=_WAIT_SECONDS)
            return self._database
