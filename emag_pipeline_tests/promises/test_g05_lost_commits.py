"""G5: a connection that is lost exactly at a COMMIT: what is told of the sync is what became of it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from emag_pipeline.errors import DatabaseUnavailable, PageBoundExceeded, PipelineError, RefusedError
from emag_pipeline.model import RequestRecord
from emag_pipeline.monitoring.recovery import recover
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import liveness
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.liveness import Bounds
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.request_log import RequestLog
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.store.commit_cutter import CommitCutter
from emag_pipeline_tests.store.door import behind, opened
from emag_pipeline_tests.store.own_server import LAZY, OwnServer
from emag_pipeline_tests.sync.refresh import context_for, ledger_row, refresh
from emag_pipeline_tests.sync.syncs import begin, execute, rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow

_OFFERS = 120
#: More commits than any of these works has.
_MOST = 150
#: Its heart beats six times a second.
_BEATING = {"EMAG_SYNC_HEARTBEAT_TIMEOUT": "1"}


@pytest.fixture
def cutter(database_url: str) -> Iterator[CommitCutter]:
    with opened(CommitCutter, database_url) as cutter:
        yield cutter


@pytest.fixture
def through(cutter: CommitCutter, database_url: str) -> Iterator[Database]:
    """The database behind the cutter."""
    with behind(cutter, database_url) as database:
        yield database


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": _OFFERS}) as market:
        yield market


def _staged(database: Database, market: SandboxServer) -> SyncContext:
    context = context_for(database, market.url, run_ended=True)
    stage_account(context)
    return context


def _is_told_as_published(context: SyncContext) -> bool:
    try:
        assert audit_scan(context).accepted
        publish_scan(context)
    except PipelineError:
        return False
    return True


def _is_told_as_refused(context: SyncContext) -> bool:
    try:
        return not audit_scan(context).accepted
    except PipelineError:
        return False


def test_g5_a_commit_without_an_answer_is_told_as_what_it_was_at_every_commit_of_audit_and_publish(
    cutter: CommitCutter, through: Database, database: Database, market: SandboxServer
) -> None:
    refresh(context_for(database, market.url))
    for turn in range(1, 50):
        market.advance(changes=3, kind="price", account="main")
        context = _staged(database, market)
        cutter.arm(turn)
        is_told = _is_told_as_published(replace(context, database=through))
        assert is_told == (ledger_row(context).status == "completed"), f"commit {turn}"
        if not is_told:
            refresh(context_for(database, market.url, run_ended=True))
        assert_published_exactly(database, market, "main")
        if not cutter.has_cut:
            break
    assert 5 < turn < 49, "the last one passed without a cut"


def test_g5_a_refusal_is_told_as_a_refusal_at_every_commit_of_the_audit(
    cutter: CommitCutter, through: Database, database: Database, market: SandboxServer
) -> None:
    refresh(context_for(database, market.url))
    market.remove("main", market.ids("main")[:60])
    for turn in range(1, 50):
        context = _staged(database, market)
        cutter.arm(turn)
        is_told = _is_told_as_refused(replace(context, database=through))
        ended = ledger_row(context)
        is_refused = (ended.status, ended.error_class) == ("failed", RefusedError.__name__)
        assert is_told == is_refused, f"commit {turn}"
        if not cutter.has_cut:
            break
    assert 3 < turn < 49, "the last one passed without a cut"


def _is_told_as_completed(context: SyncContext) -> bool:
    try:
        refresh(context)
    except PipelineError:
        return False
    return True


def _calls(database: Database) -> int:
    return int(rows(database, "SELECT count(*) FROM emag_requests")[0][0])


def _answered(page: int) -> RequestRecord:
    return RequestRecord(
        sent_at=datetime.now(UTC), account_type="main", resource="product_offer/read", page=page, page_size=100,
        offer_id=None, status=200, outcome="ok", seconds=0.2, bytes=300, error_class=None, error_body=None,
    )  # fmt: skip


def _counted(database: Database, name: str) -> float:
    sql = "SELECT coalesce(sum(value), 0) FROM emag_counters WHERE name = :name"
    return float(rows(database, sql, name=name)[0][0])


def _open_states_twice(database: Database) -> list[Any]:
    return rows(
        database,
        """SELECT emag_offer_id FROM emag_offer_history WHERE valid_to IS NULL
           GROUP BY account_type, emag_offer_id HAVING count(*) > 1""",
    )


@pytest.mark.timeout(900)
def test_g5_a_sync_is_told_as_what_it_was_at_every_commit_of_it(
    cutter: CommitCutter, through: Database, database: Database, market: SandboxServer
) -> None:
    """Plan, pages, heartbeats, the request log, the budget, audit, publish, statistics; and what follows goes on."""
    refresh(context_for(database, market.url))
    for turn in range(1, _MOST):
        market.advance(changes=3, kind="price", account="main")
        context = context_for(database, market.url, run_ended=True, **_BEATING)
        cutter.arm(turn)
        is_told = _is_told_as_completed(replace(context, database=through))
        row = ledger_row(context)
        assert is_told == (row.status == "completed" and row.dagster_run_id == context.run_id), f"commit {turn}"
        assert is_told, f"commit {turn} went through, and the sync has not gone on"
        assert_published_exactly(database, market, "main")
        assert _calls(database) == market.stats("main")["requests"] == _counted(database, "emag_sync_requests_total")
        assert not _open_states_twice(database)
        if not cutter.has_cut:
            break
    assert 30 < turn < _MOST - 1, "the last one passed without a cut"


def test_g5_a_failure_is_told_as_what_it_is_at_every_commit_of_the_sync(
    cutter: CommitCutter, through: Database, database: Database, market: SandboxServer
) -> None:
    for turn in range(1, _MOST):
        context = context_for(database, market.url, run_ended=True, EMAG_SYNC_MAX_PAGES="1")
        cutter.arm(turn)
        with pytest.raises(PageBoundExceeded):
            refresh(replace(context, database=through))
        row = ledger_row(context)
        assert (row.status, row.error_class) == ("failed", "PageBoundExceeded"), f"commit {turn}"
        if not cutter.has_cut:
            break
    assert 5 < turn < _MOST - 1, "the last one passed without a cut"


def test_g5_a_recovery_ends_and_counts_a_sync_once_at_every_commit_of_it(
    cutter: CommitCutter, through: Database, database: Database
) -> None:
    for turn in range(1, _MOST):
        lease = begin(database)
        execute(database, "UPDATE emag_offer_syncs SET heartbeat_at = now() - interval '1 hour'")
        cutter.arm(turn)
        ended = recover(through, None, Bounds(3600, 120))
        assert [one.found.sync_id for one in ended] == [lease.sync_id], f"commit {turn}"
        assert _counted(database, liveness.STUCK) == _counted(database, liveness.RECOVERED) == turn
        if not cutter.has_cut:
            break
    assert 3 < turn < _MOST - 1, "the last one passed without a cut"


def test_g5_a_commit_that_never_reached_the_server_is_told_as_not_done(
    cutter: CommitCutter, through: Database, database: Database
) -> None:
    lease = begin(database)
    cutter.arm(1, is_lost=True)
    with pytest.raises(PipelineError), through.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET phase = 'auditing' WHERE sync_id = :sync", sync=lease.sync_id)
    assert rows(database, "SELECT phase FROM emag_offer_syncs")[0].phase == "planning"


@pytest.fixture(params=[False, True], ids=["done", "undone"])
def is_lost(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_g5_a_publish_whose_server_crashes_at_its_commit_is_told_as_what_it_was(
    is_lost: bool, market: SandboxServer
) -> None:
    """Undone, its number is given to another transaction, which commits: the status of that number proves nothing."""

    def crash() -> None:
        number = server.highest_number() if is_lost else 0
        server.crash()
        server.start()
        server.use_number(number)

    with OwnServer.opened(LAZY) as server, closing(Database(server.url("emag"))) as direct:
        migrate.upgrade(direct)
        refresh(context_for(direct, market.url))
        market.advance(changes=3, kind="price", account="main")
        context = _staged(direct, market)
        with opened(CommitCutter, server.url("emag")) as cutter, behind(cutter, server.url("emag")) as through:
            cutter.arm(1, is_lost=is_lost, of=b"emag_publishes", then=crash)
            is_told = _is_told_as_published(replace(context, database=through))
        assert cutter.has_cut
        assert is_told == (ledger_row(context).status == "completed") == (not is_lost)
        if is_lost:
            refresh(context_for(direct, market.url, run_ended=True))
        assert_published_exactly(direct, market, "main")


def test_g5_calls_whose_server_crashes_at_their_commit_are_counted_once(is_lost: bool) -> None:
    """Nobody can say then whether they are saved: they are saved again."""

    def crash() -> None:
        if not is_lost:
            execute(direct, "CREATE TABLE until_here_all_is_on_disk ()")
        server.crash()
        server.start()

    with OwnServer.opened(LAZY) as server, closing(Database(server.url("emag"))) as direct:
        migrate.upgrade(direct)
        with opened(CommitCutter, server.url("emag")) as cutter, behind(cutter, server.url("emag")) as through:
            log = RequestLog(through)
            cutter.arm(1, is_lost=is_lost, of=b"emag_requests", then=crash)
            for page in (1, 2):
                log.record(_answered(page))
            with pytest.raises(DatabaseUnavailable):
                log.flush()
            assert cutter.has_cut
            assert _calls(direct) == (0 if is_lost else 2)
            log.record(_answered(3))
            log.flush()
        assert _calls(direct) == _counted(direct, "emag_sync_requests_total") == 3
