"""Where a month takes place: a sandbox, a database server and a Dagster instance of its own."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from emag_pipeline.dagster_runs.instance import opened
from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.definitions import defs
from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.local.surroundings import surroundings
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox

ACCOUNTS: Mapping[str, int] = {"main": 300, "fbe": 60}


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a month needs."""

    market: SandboxServer
    database: Database
    settings: Settings
    instance: dg.DagsterInstance
    server: ScratchServer
    #: what a command needs to work here
    variables: Mapping[str, str]
    #: how often each check did not pass
    failed_checks: "Counter[str]" = field(default_factory=Counter)

    @property
    def accounts(self) -> list[str]:
        """The accounts' names."""
        return [account.name for account in self.settings.accounts]

    @contextmanager
    def copy_of_the_database(self) -> Iterator[Database]:
        """The database as it is now, to do harm to."""
        self.database.close()  # its pool's sessions would be in the way
        self.server.copy(str(self.database.engine.url.database), "copy")
        copy = Database(self.server.url("copy"), self.settings.db_schema)
        try:
            yield copy
        finally:
            copy.close()
            self.server.drop("copy")

    def run(self, job: str, partition: str) -> float:
        """Execute a job as Dagster does, in this process. Returns its seconds; raises RuntimeError when it fails."""
        begun = time.monotonic()
        done = defs.resolve_job_def(job).execute_in_process(
            partition_key=partition,
            instance=self.instance,
            resources={"pipeline": Pipeline(self.settings)},
            raise_on_error=False,
        )
        if not done.success:
            failed = [event.message for event in done.all_events if event.is_failure]
            raise RuntimeError(f"{job} of {partition}: run {done.run_id} failed: {'; '.join(map(str, failed))}")
        self.failed_checks.update(one.check_name for one in done.get_asset_check_evaluations() if not one.passed)
        return time.monotonic() - begun


@contextmanager
def stage(sizes: Mapping[str, int] = ACCOUNTS, *, seed: int, home: Path | None = None) -> Iterator[Stage]:
    """Set the stage; of a `home` that is given, the database and Dagster's files stay there."""
    with ExitStack() as stack:
        where = (home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emag-month-")))).resolve()
        market = stack.enter_context(unlimited_sandbox(accounts=sizes, seed=seed))
        server = stack.enter_context(ScratchServer.opened(home=where))
        variables = _variables(market.url, sizes, where)
        settings = load_settings(variables, env_file=None)
        around = stack.enter_context(surroundings(settings))
        database = Database(around.databases.pipeline.get_secret_value(), settings.db_schema)
        stack.callback(database.close)
        yield Stage(market, database, settings, stack.enter_context(opened(settings)), server, variables)


def _variables(url: str, accounts: Mapping[str, int], home: Path) -> dict[str, str]:
    logins = {
        f"EMAG_{account.upper()}_API_{name}": value
        for account in accounts
        for name, value in (("USERNAME", f"{account}@sandbox.example"), ("PASSWORD", "sandbox"))
    }
    return {
        "EMAG_HOME": str(home),
        "EMAG_ACCOUNTS": ",".join(accounts),
        "EMAG_API_BASE_URL": url,
        "EMAG_API_REQUESTS_PER_SECOND": "1000",
        "EMAG_API_REQUESTS_PER_MINUTE": "60000",
        **logins,
    }
