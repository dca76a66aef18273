from dataclasses import replace

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import Contexts, context_for, ledger_row, refresh
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly


def test_a_refresh_publishes_exactly_the_marketplaces_catalogue(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    done = refresh(main())
    assert (done.published.created, done.published.offers) == (520, 520)
    assert_published_exactly(database, market, "main")


def test_offers_spelled_as_php_does_mean_the_same(market: SandboxServer, database: Database, main: Contexts) -> None:
    market.settings(quirk_share=1)
    refresh(main())
    assert_published_exactly(database, market, "main")
    market.settings(quirk_share=0)
    assert refresh(main()).published.unchanged == 520


@pytest.mark.usefixtures("already_published")
def test_a_living_catalogue_is_followed(market: SandboxServer, database: Database, main: Contexts) -> None:
    market.advance(days=3, account="main")
    market.advance(changes=40, account="main")
    refresh(main())
    assert_published_exactly(database, market, "main")


def test_accounts_are_published_beside_each_other(market: SandboxServer, database: Database, main: Contexts) -> None:
    refresh(main())
    refresh(context_for(database, market.url, "fbe"))
    assert_published_exactly(database, market, "main")
    assert_published_exactly(database, market, "fbe")


def test_an_empty_catalogue_is_a_catalogue(database: Database) -> None:
    with unlimited_sandbox(accounts={"main": 0}) as empty:
        assert refresh(context_for(database, empty.url)).published.offers == 0


def test_a_catalogue_that_stands_still_is_read_once_also_at_its_first_copy(main: Contexts) -> None:
    assert refresh(main()).sync.round == 1
    assert refresh(main()).sync.round == 1


def test_a_count_that_the_pages_contradict_is_looked_into_by_a_second_reading(
    market: SandboxServer, main: Contexts
) -> None:
    market.add_fault("count_lies", difference=7)
    sync = refresh(main()).sync
    assert (sync.round, sync.proof["rounds"]) == (2, 2)


def test_the_ledger_tells_what_the_sync_did_and_holds_the_proof(main: Contexts) -> None:
    context = main()
    refresh(context)
    row = ledger_row(context)
    assert (row.status, row.phase, row.attempt, row.pages_done, row.pages_expected) == (
        "completed", "publishing", 1, 6, 6,
    )  # fmt: skip
    assert (row.offers_created, row.total_offers_processed) == (520, 520)
    assert (row.proof["count_before"], row.proof["count_after"], row.proof["distinct_ids"]) == (520, 520, 520)


@pytest.mark.usefixtures("already_published")
def test_every_call_stands_in_the_request_log(market: SandboxServer, database: Database, main: Contexts) -> None:
    market.reset_stats()
    done = refresh(main())
    logged = rows(
        database,
        "SELECT resource, page, status FROM emag_requests WHERE sent_at >= :since ORDER BY resource, page",
        since=done.sync.started_at,
    )
    pages = [row.page for row in logged if row.resource == "product_offer/read"]
    assert pages == [1, 2, 3, 4, 5, 6, 9], "windows that overlap, and a look right behind the last offer"
    assert done.requests == len(logged) == market.stats("main")["requests"] == 9


@pytest.mark.usefixtures("already_published")
def test_progress_is_told_with_pages_offers_and_rate(market: SandboxServer, database: Database) -> None:
    told = []
    context = context_for(database, market.url, EMAG_SYNC_PROGRESS_INTERVAL="0.000001")
    stage_account(replace(context, report=told.append))
    pages = [progress.pages_done for progress in told]
    assert pages == sorted(pages), "what is covered never becomes less"
    assert pages[-1] == told[-1].pages_expected == 6
    assert told[-1].offers_done == told[-1].offers_expected == 520
    assert told[-1].offers_per_second > 0
    assert told[-1].remaining_seconds == 0
