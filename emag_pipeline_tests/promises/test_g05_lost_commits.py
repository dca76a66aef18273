"""G5: a connection that is lost exactly at a COMMIT: what is told of the sync is what became of it."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from emag_pipeline.db.engine import Database
from emag_pipeline.errors import PipelineError, RefusedError
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.sync import SyncContext, audit_scan, publish_scan, stage_account
from emag_pipeline_tests.db.commit_cutter import CommitCutter, cutting_commits
from emag_pipeline_tests.sync.refresh import context_for, ledger_row, refresh
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow

_OFFERS = 120


@pytest.fixture
def cutter(database_url: str) -> Iterator[CommitCutter]:
    with tempfile.TemporaryDirectory(prefix="emag-cut-") as door:
        server = Path(str(make_url(database_url).query["host"]))
        with cutting_commits(server, Path(door)) as cutter:
            yield cutter


@pytest.fixture
def through(cutter: CommitCutter, database_url: str) -> Iterator[Database]:
    """The database behind the cutter."""
    url = make_url(database_url).update_query_dict({"host": str(cutter.door)})
    database = Database(url.render_as_string(hide_password=False))
    yield database
    database.close()


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with SandboxServer(accounts={"main": _OFFERS}, requests_per_second=0, requests_per_minute=0) as market:
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
