"""The exporter: `/metrics` on one port, `/health` and `/ready` on another, and a check for a silent daemon.

It only reads the database, so it covers every process on every machine and can be restarted at any time. It reports a
database that is unreachable, slow or frozen, and keeps running.
"""

import json
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.responses import Response

from emag_pipeline.databases import errors_with_cause, with_cause
from emag_pipeline.errors import DatabaseUnavailable, PipelineError
from emag_pipeline.logs import logger
from emag_pipeline.monitoring import metrics, silence
from emag_pipeline.monitoring.health import Document, health_page, health_status, ready_page, unreadable_page
from emag_pipeline.monitoring.metrics import PipelineCollector
from emag_pipeline.monitoring.web import Server
from emag_pipeline.settings import Settings
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database

T = TypeVar("T")

log = logger(__name__)

#: Time limit for one statement of a scrape; a few milliseconds are usual.
_STATEMENT_SECONDS = 2.0
#: Concurrent queries to the database, and how long a further one waits.
_QUESTIONS = 2
_TURN_SECONDS = 3.0


class Exporter:
    """Listens once constructed. `connect` returns the database, or raises the reason why there is none yet."""

    def __init__(self, settings: Settings, connect: Callable[[], Database]) -> None:
        """Raises SettingsError if a port or the address cannot be used."""
        self._settings = settings
        self._connect = connect
        self._turns = threading.BoundedSemaphore(_QUESTIONS)
        self._accounts = {str(account.name): account.login for account in settings.accounts}
        self._away = ""
        self._registry = CollectorRegistry()
        self._registry.register(PipelineCollector(settings, lambda: self._ask(self._figures)))
        self.metrics = Server(
            settings.bind, settings.metrics_port, "EMAG_SYNC_METRICS_PORT", {"/metrics": self._metrics}
        )
        self.health = Server(
            settings.bind,
            settings.health_port,
            "EMAG_SYNC_HEALTH_PORT",
            {"/health": self._health, "/ready": self._ready},
        )

    def start(self) -> None:
        """Respond, and check for a silent daemon, until `stop` or the end of the process."""
        self.metrics.start()
        self.health.start()
        threading.Thread(target=self._watch, name="silence", daemon=True).start()

    def stop(self) -> None:
        """Close both ports; queries that the database has not answered are abandoned."""
        self.metrics.stop(waits=False)
        self.health.stop()

    def _metrics(self, accept: str) -> Response:
        encode, content_type = choose_encoder(accept)
        return Response(encode(self._registry), media_type=content_type)

    def _health(self, _: str) -> Response:
        try:
            return json_page(health_page(self._ask(lambda database: health_status(database, self._settings))))
        except PipelineError as error:
            return json_page(unreadable_page(error))

    def _ready(self, _: str) -> Response:
        try:
            self._ask(migrate.check)
        except PipelineError as error:
            return json_page(ready_page(error))
        return json_page(ready_page(None))

    def _figures(self, database: Database) -> metrics.MonitoringFigures:
        return metrics.read(database, self._accounts, self._settings.marketplaces, _STATEMENT_SECONDS)

    def _ask(self, question: Callable[[Database], T]) -> T:
        """Query the database when it is this caller's turn; log when it becomes unreachable and reachable again."""
        if not self._turns.acquire(timeout=_TURN_SECONDS):
            waiting = DatabaseUnavailable(
                "the database does not answer",
                where="database",
                why="earlier queries are still waiting",
                remedy="Look at the server's load and locks; the exporter recovers by itself",
                is_late=True,
            )
            raise with_cause(self._settings, waiting)
        try:
            with errors_with_cause(self._settings):
                answer = question(self._connect())
        except PipelineError as error:
            self._note(error.message)
            raise
        finally:
            self._turns.release()
        self._note("")
        return answer

    def _note(self, away: str) -> None:
        before, self._away = self._away, away
        if away and not before:
            log.warning("figures_unreadable", error=away)
        elif before and not away:
            log.warning("figures_readable_again")

    def _watch(self) -> None:
        """Check once per monitor interval; a failed check is repeated at the next interval."""
        interval = self._settings.monitor_interval_seconds
        pause = threading.Event()
        began = time.monotonic()
        while not pause.wait(interval):
            try:
                silence.watch(self._connect(), self._settings, time.monotonic() - began)
            except PipelineError as error:
                log.info("silence_unknown", error=error.message)
            except Exception:
                log.exception("silence_watch_failed")


def json_page(document: Document) -> Response:
    """A document of `monitoring.health` as a response: 503 if it has problems."""
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return Response(text, 503 if document["problems"] else 200, media_type="application/json")
