"""Storage of drills: a temporary EMAG_HOME with a PostgreSQL server, Dagster's storage and template databases."""

import itertools
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock

import psutil

from emag_pipeline import embedded
from emag_pipeline.drills.market import ACCOUNT, DrillRun, Market
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.errors import Interrupted, TransientError
from emag_pipeline.local import surroundings
from emag_pipeline.local.surroundings import environment
from emag_pipeline.settings import load_settings
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.store.server import autocommit_session

# Short-lived databases on a scratch server: copies of a template, dropped after use.


class ScratchDatabases:
    """Copies and drops databases of the server at `maintenance_url`, one at a time. Thread-safe.

    Only for a server that holds nothing else: names are used without a prefix.
    """

    def __init__(self, maintenance_url: str) -> None:
        self._maintenance_url = maintenance_url
        self._one_at_a_time = Lock()

    def copy(self, template: str, name: str) -> None:
        """Create a database as a copy of a template, which must have no open sessions.

        FILE_COPY makes a checkpoint: with the default strategy, a server crash sets the copy's sequences back.
        """
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')

    def drop(self, name: str) -> None:
        """Drop a database, even if it has open sessions."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with self._one_at_a_time, autocommit_session(self._maintenance_url) as session:
            session.run(statement)


#: For all runs, so that a killed one is soon known to be dead; the heartbeat is then sent twice a second.
HEARTBEAT_TIMEOUT_SECONDS = 3.0
_QUICK = {
    "EMAG_API_REQUESTS_PER_SECOND": "200",
    "EMAG_API_REQUESTS_PER_MINUTE": "12000",
    "EMAG_SYNC_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT_SECONDS),
}
_FOREIGN = ("EMAG_", "DATABASE_", "DB_", "DAGSTER_")
#: Faster, and safe here: only a crash of the machine loses data without fsync, a crash of the server alone does not.
_SERVER_SETTINGS = {"fsync": "off"}
_EMPTY = "template_empty"


class Scratch:
    """The storage that all scenarios of a drill share."""

    def __init__(self, home: Path, server: EmbeddedServer) -> None:
        self.home = home
        self.logs = home / "logs"
        self.logs.mkdir()
        self.halted = Event()
        self._numbers = itertools.count(1)
        self._building = Lock()
        self._templates: set[str] = set()
        self.server = server
        self.databases = ScratchDatabases(server.url("postgres"))
        self._dagster_url = server.url("dagster")
        self._dagster = surroundings.prepare(home)

    def check(self) -> None:
        """Raise Interrupted if the drill is to stop."""
        if self.halted.is_set():
            raise Interrupted

    def variables(self, market_url: str, database_url: str, given: Mapping[str, str]) -> dict[str, str]:
        """The environment of a run: the drill's settings and those given, none of the user's."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        own = {
            "EMAG_HOME": str(self.home),
            "EMAG_API_BASE_URL": market_url,
            "EMAG_API_USERNAME": f"{ACCOUNT}@sandbox.example",
            "EMAG_API_PASSWORD": "sandbox",
        }
        wanted = {**inherited, **_QUICK, **own, **given}
        settings = load_settings(wanted, env_file=None)
        return environment(settings, self._dagster, database_url, self._dagster_url, settings.first_day, wanted)

    @contextmanager
    def database(self, offers: int, *, first: bool) -> Iterator[str]:
        """The URL of a scratch database with this many published offers, or none if `first`."""
        template = self._template(0 if first else offers)
        name = f"drill_{next(self._numbers)}"
        self.databases.copy(template, name)
        try:
            yield self.server.url(name)
        finally:
            self.databases.drop(name)

    def _template(self, offers: int) -> str:
        name = f"template_{offers}" if offers else _EMPTY
        with self._building:
            if name not in self._templates:
                self._publish(name, offers) if offers else self._migrate(name)
                self._templates.add(name)
        return name

    def _migrate(self, name: str) -> None:
        database = Database(self.server.url(name))
        migrate.upgrade(database)
        database.close()

    def _publish(self, name: str, offers: int) -> None:
        self._migrate(name)
        market = Market(offers, self.logs / "sandbox.log")
        run = DrillRun(self.variables(market.url, self.server.url(name), {}), self.logs)
        try:
            while not run.is_over:
                self.check()
                self.halted.wait(0.1)
        finally:
            run.kill()
            market.stop()
        if run.process.returncode != 0:
            raise TransientError(
                "the account could not be published without a fault", why=run.said(), remedy="Fix this first"
            )

    def restart(self, after_seconds: float = 0.0) -> None:
        """Shut the server down in fast mode and start it again."""
        self.server.stop()
        self.halted.wait(after_seconds)
        embedded.start(self.home, _SERVER_SETTINGS)

    def crash(self) -> None:
        """Stop the server immediately, without a checkpoint, and start it again; it recovers from its log."""
        server = self.server.postmaster()
        server.send_signal(signal.SIGQUIT)
        psutil.wait_procs([server], timeout=30)
        embedded.start(self.home, _SERVER_SETTINGS)


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Temporary storage for drills, deleted afterwards. Raises the errors of `embedded.start`."""
    with tempfile.TemporaryDirectory(prefix="emag-drill-") as directory:
        home = Path(directory)
        server = embedded.start(home, _SERVER_SETTINGS)
        try:
            yield Scratch(home, server)
        finally:
            server.stop()
