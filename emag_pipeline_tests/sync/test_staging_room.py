"""An account's room in staging: who makes it, what empties it, and who waits for whom."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from typing import Any

import psycopg2
import pytest

from emag_pipeline.admin import forget
from emag_pipeline.errors import LeaseLost
from emag_pipeline.retention import prune
from emag_pipeline.review.checks import review
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures, ledger, publish, staging, staging_room
from emag_pipeline.sync.ledger import Lease
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, rows, stage, sync

_ODD = ["o'hara", 'a"b; DROP TABLE x', "%I", "main_pkey", "x" * 70, "x" * 71, "ăîșț 漢字", ""]


def _files(database: Database, account: str = "main") -> dict[str, tuple[int, int]]:
    """The file behind each table of the account's room, which a TRUNCATE replaces, and its bytes."""
    sql = """SELECT c.relfilenode AS file, pg_relation_size(c.oid) AS bytes
             FROM pg_class c WHERE c.oid = to_regclass('' || :name)"""
    found = {table: rows(database, sql, name=staging_room.name(table, account))[0] for table in staging_room.TABLES}
    return {table: (row.file, row.bytes) for table, row in found.items()}


def _staged(database: Database, account: str = "main") -> dict[str, int]:
    sql = "SELECT count(*) FROM {} WHERE account_type = :account"
    return {table: rows(database, sql.format(table), account=account)[0][0] for table in staging_room.TABLES}


@contextmanager
def _another(database_url: str) -> Iterator[Any]:
    """A cursor in a transaction of somebody else."""
    connection = psycopg2.connect(database_url.replace("postgresql+psycopg2", "postgresql"))
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@pytest.mark.parametrize("account", ["main", "fbe", *_ODD])
def test_the_database_and_the_code_name_a_room_alike(account: str, database: Database) -> None:
    for table in staging_room.TABLES:
        (found,) = rows(database, "SELECT emag_room_name(:t, :a) AS name", t=table, a=account)
        assert found.name == staging_room.name(table, account)
        assert len(found.name.encode()) <= 63


@pytest.mark.parametrize("account", _ODD)
def test_an_account_of_any_name_has_a_room_of_its_own(account: str, database: Database) -> None:
    sync(database, [offer(1)])
    assert sync(database, [offer(1), offer(2)], account=account).created == 2
    assert (_staged(database)["emag_scan_offers"], _staged(database, account)["emag_scan_offers"]) == (1, 2)
    for other in {*_ODD, "main"} - {account}:
        assert {staging_room.name(table, other) for table in staging_room.TABLES}.isdisjoint(
            staging_room.name(table, account) for table in staging_room.TABLES
        )


def test_of_many_processes_that_make_rooms_at_once_each_finds_its_own(database_url: str) -> None:
    """Each with connections of its own, several for one account."""
    accounts = ["main", "fbe", "bg"] * 4
    databases = [Database(database_url, pool_size=1) for _ in accounts]
    together = threading.Barrier(len(accounts))

    def make(place: int) -> None:
        together.wait()
        staging_room.make(databases[place], accounts[place])

    with ThreadPoolExecutor(len(accounts)) as pool:
        list(pool.map(make, range(len(accounts))))
    made = rows(databases[0], "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
    assert sorted(row.relname for row in made) == sorted(
        staging_room.name(table, account) for table in staging_room.TABLES for account in set(accounts)
    )
    for one in databases:
        one.close()


def test_a_room_is_unlogged_and_may_be_used_by_whom_the_tables_are_granted_to(database: Database) -> None:
    execute(database, "GRANT SELECT ON emag_scan_offers TO PUBLIC")
    staging_room.make(database, "main")
    (found,) = rows(
        database,
        "SELECT relpersistence, relacl::text AS rights FROM pg_class WHERE relname = :name",
        name=staging_room.name("emag_scan_offers", "main"),
    )
    assert found.relpersistence == "u"
    assert "=r/" in found.rights


def test_a_long_text_is_staged_in_its_row_and_not_in_pieces(database: Database) -> None:
    words = [f"cuvânt{number**2}" for number in range(300)]
    text = " ".join(Random(1).choices(words, k=800))  # longer than a block, and half of it when compressed
    sync(database, [offer(1, description=text), offer(2, description=text)])
    sql = """SELECT pg_relation_size(t.oid) AS aside,
                    (SELECT max(length(description)) FROM emag_scan_offers) AS longest
             FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid
             WHERE c.oid = to_regclass('' || :name)"""
    (found,) = rows(database, sql, name=staging_room.name("emag_scan_offers", "main"))
    assert (found.aside, found.longest) == (0, len(text))


def test_one_reading_at_most_is_staged_and_the_one_before_is_truncated(database: Database, database_url: str) -> None:
    """Also while somebody's old snapshot of the offers is open, as of a long export."""
    sync(database, [offer(1), offer(2)])
    with _another(database_url) as exporting:
        exporting.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        exporting.execute("SELECT count(*) FROM app.emag_product_offers")
        before = _files(database)
        lease = begin(database)
        assert staging.discard_remains(database, lease) == 1
        after = _files(database)
        assert {table for table in staging_room.TABLES if before[table][0] == after[table][0]} == set()
        assert {bytes_ for _, bytes_ in after.values()} == {0}
        stage(database, lease, [offer(1), offer(2), offer(3)])
        ledger.end(database, lease, "failed", error_class="ScanNotProven", message="", remedy="")
    for number in range(3):
        sync(database, [offer(one, general_stock=number) for one in range(1, 6)])
        assert _staged(database) | {"emag_scan_changes": 0} == {
            "emag_scan_offers": 5, "emag_scan_pages": 1, "emag_scan_confirmations": 0, "emag_scan_changes": 0,
        }  # fmt: skip


def test_what_a_resumed_sync_has_staged_stays_when_others_go(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    lease = begin(database)
    stage(database, lease, [offer(1), offer(2), offer(3)])  # it died before it came to empty the room
    ledger.end(database, lease, "failed", error_class="ApiUnavailable", message="", remedy="")
    again = begin(database)
    assert again.resumed
    assert staging.discard_remains(database, again) == 1
    assert [window.number for window in staging.durable_windows(database, again)] == [1]
    assert _staged(database)["emag_scan_offers"] == 3


@pytest.mark.parametrize("table", staging_room.TABLES)
def test_where_somebody_reads_staging_for_long_rows_are_deleted_and_nobody_waits_long(
    table: str, database: Database, database_url: str
) -> None:
    sync(database, [offer(number) for number in range(1, 200)])
    with _another(database_url) as dumping:  # pg_dump does so, and keeps it to its end
        dumping.execute(f"LOCK TABLE app.{table} IN ACCESS SHARE MODE")
        before, began = _files(database), time.monotonic()
        sync(database, [offer(number, general_stock=7) for number in range(1, 200)])
        assert time.monotonic() - began < 15
        assert _files(database)[table][0] == before[table][0]
        assert _staged(database) | {"emag_scan_changes": 0} == {
            "emag_scan_offers": 199, "emag_scan_pages": 1, "emag_scan_confirmations": 0, "emag_scan_changes": 0,
        }  # fmt: skip
    staging.discard_remains(database, begin(database))
    assert _files(database)[table][0] != before[table][0]


def test_whoever_empties_a_room_holds_none_of_it_while_it_waits_for_another_part(
    database: Database, database_url: str
) -> None:
    """Else a reader that comes to the parts in another order would be a deadlock's victim."""
    sync(database, [offer(1)])
    lease = begin(database)
    with _another(database_url) as reading, ThreadPoolExecutor(1) as aside:
        reading.execute(f"SELECT count(*) FROM app.{staging_room.name('emag_scan_pages', 'main')}")
        emptied = aside.submit(staging.discard_remains, database, lease)
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            reading.execute(f"SELECT count(*) FROM app.{staging_room.name('emag_scan_offers', 'main')}")
            reading.execute(f"SELECT count(*) FROM app.{staging_room.name('emag_scan_changes', 'main')}")
        assert emptied.result(30) == 1
    assert _staged(database) == dict.fromkeys(staging_room.TABLES, 0)


def test_a_sync_waits_for_nobody_who_has_another_accounts_room_for_himself(
    database: Database, database_url: str
) -> None:
    """From its beginning to the check on its publish, a first time and again; neither does a look at its ledger row."""
    sync(database, [offer(1)], account="fbe")
    with _another(database_url) as emptying:
        theirs = ", ".join(f"app.{staging_room.name(table, 'fbe')}" for table in staging_room.TABLES)
        emptying.execute(f"LOCK TABLE {theirs} IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        for number in range(2):
            lease = begin(database, "main")
            staging.discard_remains(database, lease)
            stage(database, lease, [offer(1, general_stock=number), offer(2)])
            assert len(list(staging.durable_windows(database, lease))) == 1
            assert staging.unreadable_positions(database, lease) == []
            figures.begin_audit(database, lease)
            figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())
            publish.publish(database, lease)
            review(database, "published_equals_scan", "main", currency="RON", price_move=0.5)
        failed = begin(database, "main")
        stage(database, failed, [offer(1)])
        ledger.end(database, failed, "failed", error_class="ApiUnavailable", message="", remedy="")
        assert begin(database, "main").resumed
        assert time.monotonic() - began < 20


def test_a_run_that_has_lost_its_lease_empties_nothing(database: Database) -> None:
    stale = begin(database, run_id="stale")
    fresh = begin(database, run_has_ended=lambda _: True)
    stage(database, fresh, [offer(1)])
    with pytest.raises(LeaseLost):
        staging.discard_remains(database, stale)
    assert _staged(database)["emag_scan_offers"] == 1


def _empty(database: Database, account: str, going: list[Any] | None) -> bool:
    sql = "SELECT emag_empty_room(:account, CAST(:going AS uuid[])) AS is_done"
    with database.transaction() as tx:
        return bool(tx.run(sql, account=account, going=going).scalar_one())


def test_nothing_is_truncated_beside_what_has_to_stay(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    assert not _empty(database, "main", [])
    assert not _empty(database, "main", [begin(database, "fbe").sync_id])
    assert _staged(database)["emag_scan_offers"] == 1
    assert _empty(database, "main", [lease.sync_id])
    assert _staged(database)["emag_scan_offers"] == 0
    assert _empty(database, "nobody", None)


def test_a_refused_scan_stays_through_the_night_and_is_published_once_approved(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    lease = begin(database)
    staging.discard_remains(database, lease)
    stage(database, lease, [offer(1, general_stock=9)])
    figures.begin_audit(database, lease)
    ledger.end(database, lease, "failed", error_class="RefusedError", message="", remedy="")
    execute(database, "UPDATE emag_offer_syncs SET deadline_at = now() - interval '9 hours'")
    prune.prune(database, 30)
    with database.transaction() as tx:
        assert ledger.newest_refused(tx, lease.sync_id) is not None
        ledger.approve(tx, lease.sync_id, "ana")
    again = begin(database)
    assert (again.sync_id, staging.discard_remains(database, again)) == (lease.sync_id, 0)
    _accept(database, again)
    assert publish.publish(database, again).updated == 1


def _accept(database: Database, lease: Lease) -> None:
    figures.begin_audit(database, lease)
    figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())


def test_pruning_truncates_a_reading_that_has_served_and_keeps_what_its_publish_changed(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    execute(database, "UPDATE emag_offer_syncs SET deadline_at = now() - interval '1 hour'")
    before = _files(database)
    assert prune.prune(database, 30, dry_run=True)["staged_rows"] == 3
    assert prune.prune(database, 30)["staged_rows"] == 3
    after = _files(database)
    assert {table for table in staging_room.TABLES if before[table] == after[table]} == {"emag_scan_changes"}
    assert _staged(database) == dict.fromkeys(staging_room.TABLES, 0) | {"emag_scan_changes": 2}


def test_a_room_goes_with_its_account_and_other_rooms_stay(database: Database) -> None:
    for account in ("main", "old"):
        sync(database, [offer(1), offer(2)], account=account)
    removed = forget.remove(database, "old")
    assert (removed["emag_scan_offers"], removed["emag_scan_pages"], removed["emag_product_offers"]) == (2, 1, 2)
    names = [
        row.relname for row in rows(database, "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")
    ]
    assert sorted(names) == sorted(staging_room.name(table, "main") for table in staging_room.TABLES)
    assert _staged(database)["emag_scan_offers"] == 2


def test_while_somebody_reads_staging_a_forgotten_account_leaves_empty_partitions(
    database: Database, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    sync(database, [offer(1), offer(2)], account="old")
    with _another(database_url) as dumping:
        dumping.execute("LOCK TABLE app.emag_scan_offers IN ACCESS SHARE MODE")
        assert forget.remove(database, "old")["emag_scan_offers"] == 2
    assert "room_not_removed" in caplog.text
    assert _staged(database, "old") == dict.fromkeys(staging_room.TABLES, 0)
    assert staging_room.remove(database, "old")
    assert rows(database, "SELECT relname FROM pg_class WHERE relispartition") == []


def test_an_account_without_a_room_has_nothing_staged_and_is_no_error(database: Database) -> None:
    """As after a restore."""
    sync(database, [offer(1)])
    assert staging_room.remove(database, "main")
    (published,) = rows(database, "SELECT * FROM emag_offer_syncs")
    with database.transaction() as tx:
        assert ledger.pages_left(tx, published.sync_id, "main") == 0
    found = review(database, "published_equals_scan", "main", currency="RON", price_move=0.5)
    assert (found.found, found.numbers["is_staged"]) == (0, False)
    assert prune.prune(database, 30)["staged_rows"] == 0
    assert sync(database, [offer(1)]).unchanged == 1
