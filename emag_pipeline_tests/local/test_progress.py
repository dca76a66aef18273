import io
import re
from datetime import timedelta
from pathlib import Path

import pytest

from emag_pipeline import embedded
from emag_pipeline.console import Narrator
from emag_pipeline.local.progress import ProgressWatch
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline_tests.store.ageing import published_ago
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, stage, sync

#: Dagster retries a step within its run.
_RUN = "e2c5b8a4-0000-4000-8000-000000000001"


def _watch(database: Database, output: io.StringIO, *, terminal: bool = False) -> ProgressWatch:
    narrator = Narrator(file=output, force_terminal=terminal, width=200)
    return ProgressWatch(
        database, ["main", "fbe"], narrator, interval_seconds=10, settings=load_settings({}, env_file=None)
    )


def test_all_accounts_are_published_is_said_once(database: Database) -> None:
    output = io.StringIO()
    watch = _watch(database, output)
    sync(database, [offer(1), offer(2, is_saleable=False)])
    watch.look()
    assert "main: published 0 seconds ago, 2 offers, 1 saleable" in output.getvalue()
    assert "all accounts" not in output.getvalue()
    for _ in range(2):
        sync(database, [offer(1)], account="fbe")
        watch.look()
    assert output.getvalue().count("all accounts are published") == 1


def test_an_old_publish_does_not_count(database: Database) -> None:
    sync(database, [offer(1)])
    sync(database, [offer(1)], account="fbe")
    published_ago(database, timedelta(hours=7))
    output = io.StringIO()
    _watch(database, output).look()
    assert "main: published 7 hours ago" in output.getvalue()
    assert "all accounts" not in output.getvalue()


def test_a_running_sync_is_a_line_where_there_is_no_terminal_and_only_when_it_moved(database: Database) -> None:
    output = io.StringIO()
    watch = _watch(database, output)
    stage(database, begin(database), [offer(1)])
    watch.look()
    watch.look()
    (line,) = output.getvalue().splitlines()
    assert re.fullmatch(r"main: scanning, 1 of 1 page, 1 of 1 offer, [0-9,]+ offers/s, 0 seconds left", line)


def test_a_running_sync_is_a_bar_in_a_terminal(database: Database) -> None:
    output = io.StringIO()
    watch = _watch(database, output, terminal=True)
    stage(database, begin(database), [offer(1)])
    watch.look()
    watch.end()
    assert "\u2501" in output.getvalue()
    assert "1 of 1 page," in output.getvalue()


def _drawn(database: Database, width: int) -> list[str]:
    output = io.StringIO()
    narrator = Narrator(file=output, force_terminal=True, width=width)
    settings = load_settings({}, env_file=None)
    watch = ProgressWatch(database, ["main", "fbe"], narrator, interval_seconds=10, settings=settings)
    for account in ("main", "fbe"):
        stage(database, begin(database, account), [offer(1)])
    watch.look()
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output.getvalue()).splitlines()


@pytest.mark.parametrize("width", [200, 80, 50, 40])
def test_a_narrow_terminal_shortens_the_bar_then_the_words_and_never_the_name(database: Database, width: int) -> None:
    lines = [line for line in _drawn(database, width) if line.strip()][-2:]  # it is drawn anew a few times
    assert [line.split()[0] for line in lines] == ["main", "fbe"], lines
    assert all(len(line) <= width and "\u2501" * 4 in line for line in lines), lines
    assert all(("scanning, 1 of 1 page, 1 of 1 offer" in line) == (width > 40) for line in lines), lines
    assert all(("offers/s" in line) == (width > 50) for line in lines), lines


@pytest.mark.parametrize(("pages", "why"), [(1, "the pages that were read are lost"), (0, "no page had been read yet")])
def test_a_run_that_begins_another_sync_says_whether_pages_are_lost(database: Database, pages: int, why: str) -> None:
    output = io.StringIO()
    watch = _watch(database, output)
    first = begin(database, run_id=_RUN)
    if pages:
        stage(database, first, [offer(1)])
    watch.look()
    ledger.end(database, first, "failed", error_class="StagingLost", message="lost", remedy="r")
    watch.look()
    second = begin(database, run_id=_RUN)
    assert second.sync_id != first.sync_id
    watch.look()
    watch.look()
    assert output.getvalue().count(f"main: starting from the first page: {why}") == 1


def test_a_failure_is_told_with_its_remedy(database: Database) -> None:
    output = io.StringIO()
    watch = _watch(database, output)
    ledger.end(database, begin(database), "failed", error_class="AccessRefused", message="refused", remedy="Log in")
    watch.look()
    assert output.getvalue() == "main: the sync failed: refused. Log in.\n"


def test_a_cancelled_sync_is_told_in_a_sentence_that_names_it_once(database: Database) -> None:
    output = io.StringIO()
    watch = _watch(database, output)
    lease = begin(database)
    said = {"message": f"{lease.where}: interrupted: it was told to stop", "remedy": "No action needed"}
    ledger.end(database, lease, "cancelled", error_class="Interrupted", **said)
    watch.look()
    assert output.getvalue() == ("main: the sync was cancelled: interrupted: it was told to stop. No action needed.\n")


def test_a_database_that_is_away_is_told_once_unless_the_embedded_server_is_gone(
    cluster: embedded.EmbeddedServer, tmp_path: Path
) -> None:
    away = Database("postgresql+psycopg2://me@127.0.0.1:1/emag")
    output = io.StringIO()
    narrator = Narrator(file=output, width=200)
    for home in (tmp_path, cluster.data.parent):
        settings = load_settings({"EMAG_HOME": str(home)}, env_file=None)
        watch = ProgressWatch(away, ["main"], narrator, interval_seconds=10, settings=settings)
        watch.look()
        watch.look()
        assert output.getvalue().count("the database cannot be reached") == (home != tmp_path)
