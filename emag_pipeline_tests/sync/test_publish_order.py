"""Numbers and times of publishes become visible in their order, over all accounts, and at once."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.admin.history import known_offer
from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.sync import figures, ledger, statistics
from emag_pipeline.sync import publish as publishes
from emag_pipeline.sync.ledger import Lease
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, rows, stage, sync

_TURNS = 25
_A_SECOND = timedelta(seconds=1)

_SEEN = """
    SELECT s.publish_number, s.completed_at, clock_timestamp() AS seen_at,
           (SELECT max(h.valid_from) FROM emag_offer_history h WHERE h.sync_id = s.sync_id) AS valid_from
    FROM emag_offer_syncs s WHERE s.publish_number > :after ORDER BY s.publish_number
"""
#: How long before its commit each publish took its time, and how long it took altogether.
_GAPS = """
    SELECT publish_number, published_at, pg_xact_commit_timestamp(xmin) AS committed_at,
           pg_xact_commit_timestamp(xmin) - published_at AS gap, pg_xact_commit_timestamp(xmin) - stamp AS whole
    FROM emag_publishes ORDER BY publish_number
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ScratchServer]:
    """One that remembers when each transaction was committed."""
    settings = {"fsync": "off", "track_commit_timestamp": "on", "autovacuum": "off"}
    with ScratchServer.opened(settings) as server:
        yield server


@pytest.fixture
def remembering(server: ScratchServer, request: pytest.FixtureRequest) -> Iterator[Database]:
    database = Database(server.url(f"order_{abs(hash(request.node.name))}"), pool_size=8)
    migrate.upgrade(database)
    yield database
    database.close()


@contextmanager
def _polling(look: Callable[[], None]) -> Iterator[None]:
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            look()

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            yield
        finally:
            over.set()
            reader.result()


@contextmanager
def _turn_held(database: Database) -> Iterator[None]:
    """Somebody else is in the middle of their commit, however long the machine takes."""
    with database.transaction() as tx:
        tx.run("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
        tx.run(statements("sync/publish.sql")["await_turn"])
        yield


def _waiting(database: Database) -> int:
    sql = """SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
             WHERE locktype = 'advisory' AND NOT granted"""
    return int(rows(database, sql)[0][0])


def _accepted(database: Database, account: str, price: Decimal) -> Lease:
    lease = begin(database, account)
    stage(database, lease, [offer(number, sale_price=price) for number in range(1, 6)])
    figures.begin_audit(database, lease)
    figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())
    return lease


def test_a_reader_of_two_accounts_that_publish_at_once_never_sees_a_number_or_time_below_one_it_has_seen(
    remembering: Database,
) -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.extend(rows(remembering, _SEEN, after=seen[-1].publish_number if seen else 0))

    def publish(account: str) -> None:
        for turn in range(1, _TURNS + 1):
            sync(remembering, [offer(number, sale_price=Decimal(turn)) for number in range(1, 30)], account=account)

    with _polling(look), ThreadPoolExecutor(2) as pool:
        list(pool.map(publish, ("main", "fbe")))
    look()
    # by its number alone it has missed none, so none appeared below one that it had seen
    assert len(seen) == 2 * _TURNS == len(rows(remembering, "SELECT 1 FROM emag_publishes"))
    assert [row.completed_at for row in seen] == sorted({row.completed_at for row in seen})
    assert all(row.valid_from == row.completed_at < row.seen_at for row in seen)
    committed = rows(remembering, _GAPS)
    assert [row.committed_at for row in committed] == sorted(row.committed_at for row in committed)
    assert max(row.gap for row in committed) < _A_SECOND


def test_a_publish_takes_number_and_time_after_its_work_and_its_wait(database: Database) -> None:
    sync(database, [offer(1)])
    leases = [_accepted(database, account, Decimal(7)) for account in ("main", "fbe")]
    with ThreadPoolExecutor(2) as pool:
        with _turn_held(database):
            done = [pool.submit(publishes.publish, database, lease) for lease in leases]
            wait_until(lambda: _waiting(database) == 2, 30)
            for lease in leases:
                ledger.beat(database, lease)  # its row is nobody's while it waits
            stage(database, begin(database, "third"), [offer(1)])  # nor does it keep a scan from going on
            ((released_at,),) = rows(database, "SELECT clock_timestamp()")
        published = sorted((one.result(30) for one in done), key=lambda one: one.published_at)
    assert published[0].published_at > released_at
    numbered = rows(database, "SELECT published_at FROM emag_publishes ORDER BY publish_number")
    assert [row.published_at for row in numbered[1:]] == [one.published_at for one in published]


def test_as_of_a_moment_between_a_publishs_work_and_its_commit_is_what_readers_saw_then(database: Database) -> None:
    sync(database, [offer(number) for number in range(1, 6)])
    lease = _accepted(database, "main", Decimal("7.0000"))
    now = "SELECT clock_timestamp() AS at, (SELECT min(sale_price) FROM emag_current_offers) AS price"
    with ThreadPoolExecutor(1) as pool:
        with _turn_held(database):
            done = pool.submit(publishes.publish, database, lease)
            wait_until(lambda: _waiting(database) == 1, 30)
            (saw,) = rows(database, now)
        done.result(30)
    assert saw.price == Decimal("10.5000")
    assert _prices(database, saw.at) == {Decimal("10.5000")}
    assert _prices(database, done.result().published_at) == {Decimal("7.0000")}


def _prices(database: Database, at: datetime) -> set[Decimal]:
    found = rows(database, "SELECT sale_price FROM emag_offers_as_of('main', :at)", at=at)
    return {row.sale_price for row in found}


def test_all_that_readers_are_told_of_a_publishs_time_is_the_same(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    at = sync(database, [offer(1, sale_price=Decimal(7), name="another"), offer(3)], gone=[2]).published_at
    changed = "SELECT changed_at FROM emag_current_offers WHERE emag_offer_id IN (1, 3)"
    told = {row.changed_at for row in rows(database, changed)}
    arrived = "SELECT first_seen_at, content_changed_at FROM emag_current_offers WHERE emag_offer_id = 3"
    told |= {time for row in rows(database, arrived) for time in row}
    changes = "SELECT coalesce(valid_to, valid_from) AS at FROM emag_offer_history"
    told |= {row.at for row in rows(database, changes)}
    gone = known_offer(database, "main", 2)
    assert gone is not None
    assert told | {gone.deleted_at} == {at}


@pytest.mark.slow
def test_whoever_stands_still_before_its_commit_keeps_the_others_waiting_for_seconds_only(database: Database) -> None:
    lease = _accepted(database, "main", Decimal(7))
    frozen = database.engine.connect()
    began = time.monotonic()
    try:
        with frozen.begin():
            frozen.exec_driver_sql("SELECT set_config('idle_in_transaction_session_timeout', '10000', true)")
            sql = statements("sync/publish.sql")["await_turn"].replace("current_schema()", "'app'")
            frozen.exec_driver_sql(sql)
            publishes.publish(database, lease)
            raise InterruptedError
    except Exception:  # its connection was ended by the server
        frozen.invalidate()
    assert 9 < time.monotonic() - began < 30
    assert ledger.read(database, lease.sync_id).status == "completed"


_COPIES = """
    INSERT INTO emag_scan_offers
    SELECT (jsonb_populate_record(s, jsonb_build_object(
        'emag_offer_id', number, 'row_hash', '\\x' || md5(number || '/' || CAST(:turn AS text))))).*
    FROM emag_scan_offers s, generate_series(2, :offers) number WHERE s.sync_id = :sync
"""


@pytest.mark.slow
def test_100_000_changes_lie_before_the_time_of_their_publish(remembering: Database) -> None:
    for turn in (1, 2):
        lease = begin(remembering)
        stage(remembering, lease, [offer(1, sale_price=Decimal(10 + turn))])
        with remembering.transaction() as tx:
            tx.run(_COPIES, sync=lease.sync_id, offers=100_000, turn=turn)
        statistics.renew_staged(remembering, lease.account)
        figures.begin_audit(remembering, lease)
        figures.accept(remembering, lease, figures.figures(remembering, lease.sync_id).as_proof())
        done = publishes.publish(remembering, lease)
        assert (done.created, done.updated) == ((100_000, 0), (0, 100_000))[turn - 1]
        statistics.renew(remembering, statistics.PUBLISHED)
        with remembering.transaction() as tx:
            tx.run("DELETE FROM emag_scan_offers")
            tx.run("DELETE FROM emag_scan_pages")
    found = rows(remembering, _GAPS)
    assert len(found) == 2
    changed = rows(remembering, "SELECT valid_from, valid_to FROM emag_offer_history")
    assert len(changed) == 200_000
    first, second = (row.published_at for row in found)
    assert {tuple(row) for row in changed} == {(first, second), (second, None)}
    for row in found:
        assert row.published_at < row.committed_at
        print(f"publish {row.publish_number}: {row.whole.total_seconds():.2f} s, gap {row.gap.total_seconds():.4f} s")
        assert row.gap < row.whole / 50
