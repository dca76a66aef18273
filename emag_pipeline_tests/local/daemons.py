"""A running `up` with one account: runs started and terminated as the UI does it, processes killed, faults set."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from emag_pipeline import embedded, processes, running_up
from emag_pipeline.local import programs
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.local.ups import Up, up_in, wait_until
from emag_pipeline_tests.promises.watching import newest, wait_for_pages, windows_asked
from emag_pipeline_tests.sync.syncs import rows

#: Of 1,200 offers: the page behind the last one.
BEYOND = 13
#: More offers than two windows of a chain have in common.
_OVERLAP = 10
_LAUNCH = """mutation ($tags: [ExecutionTag!]!) { launchRun(executionParams: {
    selector: {repositoryLocationName: "emag_pipeline", repositoryName: "__repository__", jobName: "refresh_offers"},
    runConfigData: {}, executionMetadata: {tags: $tags} }) {
        __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_TERMINATE = "mutation ($run: String!) { terminateRun(runId: $run) { __typename } }"
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
#: Their runs come between; tests of syncs do without marts and reference data.
_OTHERS = ("stale_marts", "stale_reference")
_RUNS = "query { runsOrError { ... on Runs { results { runId status } } } }"


class Daemon:
    """A running `up` with the one account `main`, whose first refresh is over."""

    def __init__(self, up: Up, database: Database) -> None:
        self.up = up
        self.database = database
        self.market = SandboxControl(up.sandbox_url)
        self._durable_to = 0

    def launch(self, **tags: str) -> str:
        """Start a run as the UI does, with further tags of Dagster's; returns its id."""
        given = [{"key": f"dagster/{name}", "value": value} for name, value in {"partition": "main", **tags}.items()]
        launched = self.up.graphql(_LAUNCH, tags=given)["launchRun"]
        return str(launched["run"]["runId"])

    def terminate(self, run_id: str) -> None:
        """Press Terminate."""
        self.up.graphql(_TERMINATE, run=run_id)

    def runs(self) -> dict[str, str]:
        """The status of every run."""
        return {run["runId"]: run["status"] for run in self.up.graphql(_RUNS)["runsOrError"]["results"]}

    def settle(self) -> None:
        """Until no run is under way."""
        wait_until(lambda: _ENDED.issuperset(self.runs().values()), 60, lambda: str(self.runs()))

    def launch_until(self, pages: int, **tags: str) -> str:
        """Start a run of a changed catalogue that hangs once so many pages are durable."""
        self.market.advance(changes=100, kind="price", account="main")
        self.market.add_fault("hang", seconds=10, pages=list(range(pages + 1, BEYOND + 1)))
        run_id = self.launch(**tags)
        wait_until(lambda: newest(self.database).dagster_run_id == run_id, 60)
        wait_for_pages(self.database, pages)
        return run_id

    def assert_nothing_was_read_twice(self) -> None:
        """Since `heal`, only what was not durable then, and the few offers by which windows overlap.

        By positions: what hung for long on a busy machine is asked for in smaller pages.
        """
        offers = self.market.count("main")
        first = [(page - 1) * size for page, size in windows_asked(self.market) if (page - 1) * size < offers]
        assert first, "nothing was read"
        assert min(first) >= self._durable_to - _OVERLAP, (self._durable_to, windows_asked(self.market))

    def heal(self) -> None:
        """End all faults; count calls anew."""
        (found,) = rows(
            self.database,
            """SELECT coalesce(max(position + cardinality(ids)), 0) AS durable_to
               FROM emag_scan_pages JOIN emag_offer_syncs USING (sync_id)
               WHERE status <> 'completed'""",
        )
        self._durable_to = int(found.durable_to)
        self.market.clear_faults()
        self.market.reset_stats()

    def kill(self, *words: str) -> None:
        """SIGKILL to the processes in whose command line all the words stand."""
        killed = self.up.processes(*words)
        assert killed
        processes.kill(killed)

    def wait_for_ui(self) -> None:
        """Until the UI answers (again)."""
        wait_until(lambda: programs.is_loaded(self.up.ui_port), 120, self.up.said)

    def worker(self) -> psutil.Process:
        """The process of the one run under way."""
        (worker,) = filter(processes.is_worker, running_up.members(self.up.home))
        return worker


@contextmanager
def daemon_in(home: Path | None = None, **variables: str) -> Iterator[Daemon]:
    """An `up` of the one account `main`, ready; in a home of its own if none is given."""
    with up_in(home, EMAG_ACCOUNTS="main", **variables) as up:
        up.wait_for("ready: look at")
        for sensor in _OTHERS:
            up.switch_off(sensor)
        server = embedded.running(up.home)
        assert server is not None
        with closing(Database(server.url("emag"))) as database:
            yield Daemon(up, database)


@contextmanager
def published_daemon(**variables: str) -> Iterator[Daemon]:
    """The same once its first refresh is over."""
    with daemon_in(**variables) as daemon:
        daemon.up.wait_for("all accounts are published")
        daemon.settle()
        yield daemon
