"""G5 and G12 under `up`: what dies is repeated without a person, what is terminated in the UI is not."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from emag_pipeline import embedded
from emag_pipeline.db.engine import Database
from emag_pipeline.operations import family
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline_tests.process.ups import Up, start, wait_until
from emag_pipeline_tests.promises.watching import durable_pages, newest, wait_for, wait_for_pages
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow

#: Of 1,200 offers: the page behind the last one.
_BEYOND = 13
_LAUNCH = """mutation ($tags: [ExecutionTag!]!) { launchRun(executionParams: {
    selector: {repositoryLocationName: "emag_pipeline", repositoryName: "__repository__", jobName: "refresh_offers"},
    runConfigData: {}, executionMetadata: {tags: $tags} }) {
        __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
_TERMINATE = "mutation ($run: String!) { terminateRun(runId: $run) { __typename } }"
_RUNS = "query { runsOrError { ... on Runs { results { runId status } } } }"


class Daemon:
    """A running `up` with the one account `main`, whose first refresh is over."""

    def __init__(self, up: Up, database: Database) -> None:
        self._up = up
        self.database = database
        self.market = SandboxControl(up.sandbox_url)

    def launch(self, **tags: str) -> str:
        """Start a run as the UI does, with further tags of Dagster's; returns its id."""
        given = [{"key": f"dagster/{name}", "value": value} for name, value in {"partition": "main", **tags}.items()]
        launched = self._up.graphql(_LAUNCH, tags=given)["launchRun"]
        return str(launched["run"]["runId"])

    def terminate(self, run_id: str) -> None:
        """Press Terminate."""
        self._up.graphql(_TERMINATE, run=run_id)

    def runs(self) -> dict[str, str]:
        """The status of every run."""
        return {run["runId"]: run["status"] for run in self._up.graphql(_RUNS)["runsOrError"]["results"]}

    def launch_until(self, pages: int, **tags: str) -> str:
        """Start a run of a changed catalogue that hangs once so many pages are durable."""
        self.market.advance(changes=100, kind="price", account="main")
        self.market.add_fault("hang", seconds=10, pages=list(range(pages + 1, _BEYOND + 1)))
        run_id = self.launch(**tags)
        wait_until(lambda: newest(self.database).dagster_run_id == run_id, 60)
        wait_for_pages(self.database, pages)
        return run_id

    def pages_asked(self) -> set[int]:
        """The pages that were asked for since the statistics began."""
        return {request["page"] for request in self.market.requests("main") if request["page"]}

    def heal(self) -> None:
        """End all faults; count calls anew."""
        self.market.clear_faults()
        self.market.reset_stats()

    def processes(self, *words: str) -> list[psutil.Process]:
        """The processes of this `up` in whose command line all the words stand."""
        return [one for one in family.members(self._up.home) if all(word in " ".join(one.cmdline()) for word in words)]

    def kill(self, *words: str) -> None:
        """SIGKILL to the processes in whose command line all the words stand."""
        killed = self.processes(*words)
        assert killed
        family.kill(killed)

    def worker(self) -> psutil.Process:
        """The process of the one run under way."""
        (worker,) = family.run_workers(family.members(self._up.home))
        return worker


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with tempfile.TemporaryDirectory(prefix="emag-up-") as directory:
        up = start(Path(directory) / "home", EMAG_ACCOUNTS="main", EMAG_SYNC_HEARTBEAT_TIMEOUT="5")
        try:
            up.wait_for("all accounts are published")
            server = embedded.running(up.home)
            assert server is not None
            database = Database(server.url("emag"))
            yield Daemon(up, database)
            database.close()
        finally:
            up.process.terminate()
            up.process.wait(60)
            family.kill(family.members(up.home))


def test_g5_a_killed_run_is_repeated_by_the_daemon_and_goes_on_after_its_last_durable_page(daemon: Daemon) -> None:
    killed = daemon.launch_until(pages=8)
    sync = newest(daemon.database).sync_id
    daemon.worker().kill()
    daemon.heal()
    wait_until(lambda: newest(daemon.database).status == "completed", 60)
    row = newest(daemon.database)
    assert (row.sync_id, row.attempt) == (sync, 2)
    assert daemon.pages_asked() == set(range(9, _BEYOND + 1))
    wait_until(lambda: daemon.runs()[row.dagster_run_id] == "SUCCESS", 30)
    assert daemon.runs()[killed] == "FAILURE"
    assert_published_exactly(daemon.database, daemon.market, "main")


def test_g12_a_run_terminated_in_the_ui_is_cancelled_at_once_and_not_repeated_and_the_next_one_resumes(
    daemon: Daemon,
) -> None:
    terminated = daemon.launch_until(pages=5)
    daemon.terminate(terminated)
    wait_for(daemon.database, seconds=5, status="cancelled")
    assert "it was told to stop" in newest(daemon.database).error_message
    assert durable_pages(daemon.database) == {1, 2, 3, 4, 5}
    wait_until(lambda: daemon.runs()[terminated] == "CANCELED", 20)
    before = daemon.runs()
    daemon.heal()
    with pytest.raises(AssertionError):
        wait_until(lambda: daemon.runs() != before, 8)
    daemon.launch()
    wait_for(daemon.database, seconds=60, status="completed")
    assert newest(daemon.database).attempt == 2
    assert daemon.pages_asked() == set(range(6, _BEYOND + 1))
    assert_published_exactly(daemon.database, daemon.market, "main")


def test_g5_a_run_that_exceeds_dagsters_max_runtime_is_ended_and_continued_without_a_person(daemon: Daemon) -> None:
    late = daemon.launch_until(pages=6, max_runtime="5")
    sync = newest(daemon.database).sync_id
    wait_until(lambda: daemon.runs()[late] == "FAILURE", 60)
    daemon.heal()
    wait_for(daemon.database, seconds=60, status="completed")
    row = newest(daemon.database)
    assert (row.sync_id, row.dagster_run_id != late) == (sync, True)
    assert daemon.pages_asked() <= set(range(7, _BEYOND + 1))
    assert_published_exactly(daemon.database, daemon.market, "main")


_DAEMON, _CODE_SERVER = ("dagster._daemon", "run"), ("api", "grpc")


@pytest.mark.parametrize("words", [_DAEMON, _CODE_SERVER], ids=["the daemon", "the code servers"])
def test_g5_a_run_survives_the_death_of_what_started_it(daemon: Daemon, words: tuple[str, ...]) -> None:
    run_id = daemon.launch_until(pages=4)
    daemon.kill(*words)
    daemon.heal()
    wait_for(daemon.database, seconds=60, status="completed")
    assert (newest(daemon.database).dagster_run_id, newest(daemon.database).attempt) == (run_id, 1)
    assert_published_exactly(daemon.database, daemon.market, "main")
