"""A connection that is lost at a commit, and a server that crashes, restarts or stays away: what is told is true."""

import threading
from collections.abc import Callable, Iterator

import pytest

from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.store import transaction
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.store.commit_cutter import CommitCutter
from emag_pipeline_tests.store.door import behind, opened
from emag_pipeline_tests.store.own_server import LAZY, OwnServer

pytestmark = pytest.mark.slow

_NOT_KNOWN = "it is unknown whether the commit succeeded"


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with OwnServer.opened(LAZY) as server:
        yield server


@pytest.fixture
def direct(server: OwnServer) -> Iterator[Database]:
    """A database with an empty table `numbers`."""
    database = Database(server.url("emag"))
    with database.transaction() as tx:
        tx.run("CREATE SCHEMA IF NOT EXISTS {schema}")
        tx.run("DROP TABLE IF EXISTS numbers")
        tx.run("CREATE TABLE numbers (number integer)")
    yield database
    database.close()


@pytest.fixture
def cutter(server: OwnServer, direct: Database) -> Iterator[CommitCutter]:
    with opened(CommitCutter, server.url("emag")) as cutter:
        yield cutter


@pytest.fixture
def through(cutter: CommitCutter, server: OwnServer) -> Iterator[Database]:
    with behind(cutter, server.url("emag")) as database:
        yield database


def _write(database: Database) -> None:
    with database.transaction() as tx:
        tx.run("INSERT INTO numbers VALUES (1)")


def _written(database: Database) -> int:
    with database.transaction() as tx:
        return int(tx.run("SELECT count(*) FROM numbers").scalar_one())


def _crash_all(server: OwnServer) -> None:
    server.crash()
    server.start()


def _stop_at_once(server: OwnServer) -> None:
    server.stop_at_once()
    server.start()


_CRASHES = pytest.mark.parametrize("crash", [_crash_all, _stop_at_once, OwnServer.crash_one_process])


@_CRASHES
def test_a_number_that_another_transaction_was_given_after_a_crash_is_not_taken_for_ours(
    crash: Callable[[OwnServer], None], server: OwnServer, cutter: CommitCutter, through: Database, direct: Database
) -> None:
    reused = []

    def crash_and_use() -> None:
        number = server.highest_number()
        crash(server)
        server.use_number(number)
        reused.append(number)

    cutter.arm(1, is_lost=True, then=crash_and_use)
    with pytest.raises(DatabaseUnavailable, match=_NOT_KNOWN):
        _write(through)
    with direct.transaction() as tx:
        asked = "SELECT pg_xact_status(CAST(CAST(:number AS text) AS xid8))"
        assert tx.run(asked, number=reused[0]).scalar_one() == "committed", "the number was not given again"
    assert _written(direct) == 0


@_CRASHES
def test_what_was_done_before_a_crash_is_not_told_as_undone(
    crash: Callable[[OwnServer], None], server: OwnServer, cutter: CommitCutter, through: Database, direct: Database
) -> None:
    cutter.arm(1, then=lambda: crash(server))
    with pytest.raises(DatabaseUnavailable, match=_NOT_KNOWN):
        _write(through)
    assert _written(direct) == 1


def test_a_server_that_is_stopped_and_started_again_is_waited_for_and_believed(
    server: OwnServer, cutter: CommitCutter, through: Database, direct: Database
) -> None:
    starting = threading.Timer(3, server.start)

    def restart() -> None:
        server.stop()
        starting.start()

    cutter.arm(1, then=restart)
    _write(through)
    starting.join()
    assert _written(direct) == 1


def test_nobody_knows_while_the_server_stays_away(
    server: OwnServer,
    cutter: CommitCutter,
    through: Database,
    direct: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transaction, "_ASK_SECONDS", 1.0)
    cutter.arm(1, then=server.stop)
    with pytest.raises(DatabaseUnavailable, match=_NOT_KNOWN):
        _write(through)
    server.start()
    assert _written(direct) == 1
