"""Storage of drills: a temporary EMAG_HOME with a PostgreSQL server, Dagster's storage and template databases."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Lock

from emag_pipeline.drills.market import Market
from emag_pipeline.drills.runs import RunProcess, run_variables
from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.errors import Interrupted, TransientError
from emag_pipeline.local import surroundings
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database

#: For all runs, so that a killed one is soon known to be dead; the heartbeat is then sent twice a second.
HEARTBEAT_TIMEOUT_SECONDS = 3.0
_QUICK = {
    "EMAG_API_REQUESTS_PER_SECOND": "200",
    "EMAG_API_REQUESTS_PER_MINUTE": "12000",
    "EMAG_SYNC_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT_SECONDS),
}
_EMPTY = "template_empty"


class Scratch:
    """The storage that all scenarios of a drill share."""

    def __init__(self, server: ScratchServer) -> None:
        self._server = server
        self.logs = server.home / "logs"
        self.logs.mkdir()
        self.halted = Event()
        self._numbers = itertools.count(1)
        self._building = Lock()
        self._templates: set[str] = set()
        self._dagster_url = server.url("dagster")
        self._dagster = surroundings.prepare(server.home)

    def check(self) -> None:
        """Raise Interrupted if the drill is to stop."""
        if self.halted.is_set():
            raise Interrupted

    def variables(self, market_url: str, database_url: str, given: Mapping[str, str]) -> dict[str, str]:
        """The environment of a run: the drill's settings and those given, none of the user's."""
        quick = {**_QUICK, **given}
        return run_variables(self._server.home, self._dagster, market_url, database_url, self._dagster_url, quick)

    @contextmanager
    def database(self, offers: int, *, first: bool) -> Iterator[str]:
        """The URL of a scratch database with this many published offers, or none if `first`."""
        template = self._template(0 if first else offers)
        name = f"drill_{next(self._numbers)}"
        self._server.copy(template, name)
        try:
            yield self._server.url(name)
        finally:
            self._server.drop(name)

    def _template(self, offers: int) -> str:
        name = f"template_{offers}" if offers else _EMPTY
        with self._building:
            if name not in self._templates:
                self._publish(name, offers) if offers else self._migrate(name)
                self._templates.add(name)
        return name

    def _migrate(self, name: str) -> None:
        database = Database(self._server.url(name))
        migrate.upgrade(database)
        database.close()

    def _publish(self, name: str, offers: int) -> None:
        self._migrate(name)
        with Market(offers, self.logs / "sandbox.log") as market:
            run = RunProcess(self.variables(market.url, self._server.url(name), {}), self.logs)
            try:
                while not run.is_over:
                    self.check()
                    self.halted.wait(0.1)
            finally:
                run.kill()
        if run.process.returncode != 0:
            raise TransientError(
                "the account could not be published without a fault", why=run.said(), remedy="Fix this first"
            )

    def restart(self, after_seconds: float = 0.0) -> None:
        """Shut the server down in fast mode and start it again."""
        self._server.stop()
        self.halted.wait(after_seconds)
        self._server.start()

    def crash(self) -> None:
        """Stop the server immediately, without a checkpoint, and start it again; it recovers from its log."""
        self._server.stop_at_once()
        self._server.start()


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Temporary storage for drills, deleted afterwards. Raises the errors of `embedded.start`."""
    with ScratchServer.opened() as server:
        yield Scratch(server)
