"""G12: SIGTERM and SIGINT stop a run within 5 s; the ledger says so, and the next run resumes."""

import signal
import time

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.promises.watching import (
    durable_windows,
    held_row,
    newest,
    pages_asked,
    versions,
    wait_for,
    wait_for_block,
    wait_for_pages,
    windows_asked,
)
from emag_pipeline_tests.promises.workers import Worker, Workers
from emag_pipeline_tests.sync.refresh import Contexts, refresh
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow

_SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])


def _stop(worker: Worker, number: signal.Signals) -> None:
    told = time.monotonic()
    worker.process.send_signal(number)
    assert worker.wait(30) != 0
    assert time.monotonic() - told < 5


def _assert_cancelled(database: Database) -> None:
    row = newest(database)
    assert (row.status, row.error_class) == ("cancelled", "Interrupted")
    assert "it was told to stop" in row.error_message
    assert row.error_remedy
    assert row.completed_at is not None


@_SIGNALS
def test_g12_inside_a_request_that_hangs(
    number: signal.Signals, market: SandboxServer, database: Database, workers: Workers
) -> None:
    market.add_fault("hang", pages=list(range(5, 12)))
    worker = workers.start()
    wait_for_pages(database, 4)
    wait_until(lambda: market.stats("main")["at_once"] > 0, 10)
    _stop(worker, number)
    _assert_cancelled(database)
    durable = durable_windows(database)
    assert {page for page, _ in durable} == {1, 2, 3, 4}
    (staged,) = rows(database, "SELECT count(DISTINCT emag_offer_id) AS offers FROM emag_scan_offers")
    assert staged.offers == max(page * size for page, size in durable)  # they overlap, and leave no gap
    market.clear_faults()
    market.reset_stats()
    workers.publish()
    *asked, head = windows_asked(market)
    assert durable.isdisjoint(asked)
    assert {page for page, _ in asked} == set(range(5, 12))
    assert head == (1, 100)  # a first publish reads it once more
    assert_published_exactly(database, market, "main")


def test_g12_inside_a_long_statement(
    market: SandboxServer,
    database: Database,
    database_url: str,
    market_main: Contexts,
    workers: Workers,
) -> None:
    refresh(market_main())
    changed = market.ids("main")[5]
    market.edit("main", changed, sale_price=123.5)
    before = versions(database, "emag_product_offers", "emag_products", "emag_offer_states")
    with held_row(database_url, changed):
        worker = workers.start()
        wait_for_block(database)
        _stop(worker, signal.SIGTERM)
    _assert_cancelled(database)
    assert versions(database, "emag_product_offers", "emag_products", "emag_offer_states") == before
    market.reset_stats()
    workers.publish()
    assert pages_asked(market) == [11]
    assert_published_exactly(database, market, "main")


def test_g12_between_two_tries_of_a_step(market: SandboxServer, database: Database, workers: Workers) -> None:
    market.add_fault("server_error", resource="product_offer/count")
    worker = workers.start()
    wait_until(lambda: "Trying again in" in worker.printed(), 60, worker.printed)
    _stop(worker, signal.SIGTERM)
    row = newest(database)
    assert (row.status, row.error_class) == ("failed", "ApiUnavailable")
    calls = market.stats("main")["requests"]
    assert calls == 5, "the step was tried again after the signal"
    market.clear_faults()
    workers.publish()
    assert_published_exactly(database, market, "main")


def test_g12_while_the_client_waits_before_its_next_try(
    market: SandboxServer, database: Database, workers: Workers
) -> None:
    market.add_fault("storm_429", retry_after=60)
    worker = workers.start()
    wait_until(lambda: market.stats("main")["requests"] > 0, 30)
    _stop(worker, signal.SIGTERM)
    _assert_cancelled(database)


def test_g12_while_it_asks_for_missing_offers(
    market: SandboxServer, database: Database, market_main: Contexts, workers: Workers
) -> None:
    refresh(market_main())
    gone = market.ids("main")[:3]
    market.remove("main", gone)
    market.add_fault("hang", offer_ids=gone)
    worker = workers.start()
    wait_for(database, status="running", phase="confirming")
    _stop(worker, signal.SIGTERM)
    _assert_cancelled(database)
    sql = "SELECT count(*) FROM emag_product_offers WHERE deleted_at IS NOT NULL"
    assert rows(database, sql)[0][0] == 0
    market.clear_faults()
    workers.publish()
    assert_published_exactly(database, market, "main")
