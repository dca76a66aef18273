"""What an outage of the database left is told as it is, to whoever reads it when the database answers again."""

import itertools
from collections.abc import Callable, Iterator

import pytest

from emag_pipeline import embedded
from emag_pipeline.databases import with_cause
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.attempt import attempt
from emag_pipeline.sync.liveness import running_syncs
from emag_pipeline.sync.status import account_statuses
from emag_pipeline_tests.store.own_server import DURABLE, OwnServer
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.refresh import context_for
from emag_pipeline_tests.sync.syncs import begin, execute, stage

_NOWHERE = "http://127.0.0.1:9/api-3"
_GOES_ON = "continues after the last durable page"
_ANEW = "starts from the beginning: no page is durable"


_serial = itertools.count(1)


@pytest.fixture(scope="module")
def own() -> Iterator[OwnServer]:
    """Each test leaves it running."""
    with OwnServer.opened(DURABLE) as own:
        yield own


@pytest.fixture
def own_database(own: OwnServer) -> Iterator[Database]:
    database = Database(own.url(f"emag_{next(_serial)}"))
    migrate.upgrade(database)
    yield database
    database.close()


def _meet(own: OwnServer, database: Database, outage: Callable[[OwnServer], None]) -> None:
    outage(own)
    try:
        execute(database, "SELECT 1")
    finally:
        own.start()


@pytest.mark.parametrize(
    ("outage", "begins"), [(OwnServer.stop, _GOES_ON), (OwnServer.crash, _ANEW)], ids=["a stop", "a crash"]
)
def test_a_sync_that_an_outage_ended_says_where_the_next_one_begins(
    own: OwnServer, own_database: Database, outage: Callable[[OwnServer], None], begins: str
) -> None:
    """Staging is unlogged: it survives a stop, and no crash."""
    context = context_for(own_database, _NOWHERE, EMAG_HOME=str(own.home))
    stage(own_database, lease := begin(own_database), [offer(1)])
    with pytest.raises(DatabaseUnavailable), attempt(context, lease):
        _meet(own, own_database, outage)
    error = account_statuses(own_database, ["main"])[0].last_error
    assert error is not None
    told = with_cause(context.settings, DatabaseUnavailable("away", where="database", is_away=True))
    assert told.remedy.startswith(f"It runs, and its log {embedded.log_of(own.home)} says what was wrong; the next run")
    why = f"{embedded.log_of(own.home)} shows why it was unreachable"
    assert error.remedy == f"No action needed: it is reachable again, and the next attempt {begins}; {why}"
    assert error.pages_staged == (1 if begins == _GOES_ON else 0)
    assert begin(own_database).resumed is (begins == _GOES_ON)


def test_how_much_a_running_sync_has_left_counts_nothing_that_a_crash_took(
    own: OwnServer, own_database: Database
) -> None:
    stage(own_database, begin(own_database), [offer(1)])
    assert [(sync.pages_done, sync.pages_left) for sync in running_syncs(own_database)] == [(1, 1)]
    own.crash()
    own.start()
    assert [(sync.pages_done, sync.pages_left) for sync in running_syncs(own_database)] == [(1, 0)]
