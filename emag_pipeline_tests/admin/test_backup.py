"""Backup and restore as the commands do them, on real databases."""

import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emag_pipeline.admin.backup import Backup, backup
from emag_pipeline.admin.restore import restore
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.errors import AnotherSyncRunning, Interrupted, PermanentError, SchemaMismatch, SettingsError
from emag_pipeline.marts.refresh import refresh as refresh_mart
from emag_pipeline.marts.registry import OF_NEWEST_PUBLISH
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.syncs import begin, rows, stage, sync
from emag_pipeline_tests.sync.truth import assert_published_exactly

_STAGING = {"emag_scan_pages", "emag_scan_offers", "emag_scan_confirmations", "emag_scan_changes", "emag_row_digests"}


def _settings(url: str, home: Path, schema: str = "app") -> Settings:
    return load_settings({"DATABASE_SYNC_URL": url, "EMAG_HOME": str(home), "DB_SCHEMA": schema}, env_file=None)


def _backup(url: str, file: Path, **options: Any) -> Backup:
    return backup(_settings(url, file.parent), file, **{"force": False, "say": _silent, "wait": _short, **options})


def _restore(url: str, file: Path, schema: str = "app", **options: Any) -> Any:
    return restore(_settings(url, file.parent, schema), file, **{"replace": False, "say": _silent, **options})


def _silent(_: str) -> None:
    pass


def _short(_: float) -> None:
    threading.Event().wait(0.02)


@pytest.fixture
def other(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    yield database
    database.close()


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": 250}) as server:
        yield server


@pytest.fixture
def filled(database: Database, market: SandboxServer) -> Database:
    """History, tombstones, quarantine, calls, counters and an incident."""
    refresh(context_for(database, market.url))
    market.remove("main", market.ids("main")[:3])
    market.edit("main", market.ids("main")[10], sale_price="99.1234", name="tab\there, line\nthere, \\backslash")
    market.add_fault("poison", row="no_id", rows=1, pages=[2])
    refresh(context_for(database, market.url))
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_incidents (subject, kind, message, remedy)
               VALUES ('main', 'stale', 'ț', '')"""
        )
    return database


def _contents(database: Database) -> dict[str, list[str]]:
    """Every row of every table but staging, as text."""
    tables = rows(
        database,
        """SELECT relname FROM pg_class
           WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind IN ('r', 'p') AND NOT relispartition""",
        schema=database.schema,
    )
    return {
        table.relname: [str(row[0]) for row in rows(database, f"SELECT t::text FROM {table.relname} t ORDER BY 1")]
        for table in tables
        if table.relname not in _STAGING
    }


def test_a_round_trip_brings_every_row_and_the_next_sync_goes_on(
    filled: Database, database_url: str, other: Database, empty_url: str, market: SandboxServer, tmp_path: Path
) -> None:
    before = _contents(filled)
    assert {name for name, lines in before.items() if lines} >= {
        "emag_offer_syncs", "emag_product_offers", "emag_products", "emag_offer_states", "emag_offer_rejects",
        "emag_requests", "emag_counters", "emag_incidents", "emag_rate_budget", "emag_account_figures",
    }  # fmt: skip
    done = _backup(database_url, tmp_path / "emag.dump")
    restored = _restore(empty_url, tmp_path / "emag.dump")
    assert _contents(other) == before
    assert restored.rows == sum(len(lines) for name, lines in before.items() if name != "emag_alembic_version")
    assert done.bytes == (tmp_path / "emag.dump").stat().st_size
    market.clear_faults()
    assert refresh(context_for(other, market.url)).published.unchanged >= 240
    assert_published_exactly(other, market, "main")


def test_the_round_trip_also_fits_another_schema_name(
    database: Database, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1), offer(2)])
    _backup(database_url, tmp_path / "emag.dump")
    _restore(empty_url, tmp_path / "emag.dump", schema="copy")
    copy = Database(empty_url, "copy")
    try:
        assert _contents(copy) == _contents(database)
        as_of = rows(copy, "SELECT count(*) FROM emag_offers_as_of('main', now())")
        assert as_of[0][0] == 2
        assert sync(copy, [offer(1)], gone=[2]).deleted == 1
    finally:
        copy.close()


def test_staging_is_left_out(
    database: Database, database_url: str, other: Database, empty_url: str, tmp_path: Path
) -> None:
    stage(database, begin(database), [offer(1)])
    _backup(database_url, tmp_path / "emag.dump")
    _restore(empty_url, tmp_path / "emag.dump")
    assert rows(other, "SELECT count(*) FROM emag_scan_offers")[0][0] == 0


def test_a_sync_that_ran_while_the_backup_was_taken_has_ended_after_the_restore(
    database: Database, database_url: str, other: Database, empty_url: str, tmp_path: Path
) -> None:
    begin(database)
    _backup(database_url, tmp_path / "emag.dump")
    _restore(empty_url, tmp_path / "emag.dump")
    (row,) = rows(other, "SELECT status, error_class, error_message FROM emag_offer_syncs")
    assert (row.status, row.error_class) == ("failed", "OwnerDied")
    assert begin(other).attempt == 1


def test_new_rows_get_new_ids_after_a_restore(
    filled: Database, database_url: str, other: Database, empty_url: str, tmp_path: Path
) -> None:
    _backup(database_url, tmp_path / "emag.dump")
    _restore(empty_url, tmp_path / "emag.dump")
    (newest,) = rows(other, "SELECT max(request_id) FROM emag_requests")
    with other.transaction() as tx:
        added = tx.run(
            """INSERT INTO emag_requests (sent_at, account_type, resource, outcome, seconds, bytes)
               VALUES (now(), 'main', 'x', 'ok', 0, 0) RETURNING request_id"""
        ).scalar_one()
    assert added == newest[0] + 1


def test_a_backup_taken_while_publishes_go_on_is_one_whole_state(
    database: Database, database_url: str, other: Database, empty_url: str, tmp_path: Path
) -> None:
    over = threading.Event()

    def publish_again_and_again() -> None:
        number = 0
        while not over.is_set():
            number += 1
            sync(database, [offer(one, general_stock=number) for one in range(1, 301)])

    publishing = threading.Thread(target=publish_again_and_again)
    publishing.start()
    try:
        for turn in range(4):
            _backup(database_url, tmp_path / "emag.dump", force=True)
            _restore(empty_url, tmp_path / "emag.dump", replace=turn > 0)
            (state,) = rows(
                other,
                """SELECT count(*) AS offers, count(DISTINCT o.general_stock) AS states,
                          count(DISTINCT h.sync_id) AS syncs,
                          (SELECT count(*) FROM emag_offer_syncs WHERE status = 'completed') AS published,
                          max(o.general_stock) AS number
                   FROM emag_product_offers o
                   JOIN emag_offer_history h USING (account_type, emag_offer_id)
                   WHERE h.valid_to IS NULL AND h.general_stock = o.general_stock""",
            )
            if state.published:
                assert (state.offers, state.states, state.syncs, state.number) == (300, 1, 1, state.published)
    finally:
        over.set()
        publishing.join()


def test_the_file_is_its_owners_alone_and_nothing_else_is_left(database_url: str, tmp_path: Path) -> None:
    _backup(database_url, tmp_path / "emag.dump")
    assert stat.S_IMODE((tmp_path / "emag.dump").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["emag.dump"]


def test_an_existing_file_is_not_overwritten_unless_forced(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "emag.dump"
    file.write_text("precious")
    with pytest.raises(SettingsError, match="exists"):
        _backup(database_url, file)
    assert file.read_text() == "precious"
    assert _backup(database_url, file, force=True).bytes > 1000


def test_an_interrupted_backup_leaves_nothing(database_url: str, tmp_path: Path) -> None:
    def interrupted(_: float) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        _backup(database_url, tmp_path / "emag.dump", wait=interrupted)
    assert not list(tmp_path.iterdir())


def test_a_database_without_the_schema_is_not_backed_up(empty_url: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaMismatch, match="there is nothing to back up"):
        _backup(empty_url, tmp_path / "emag.dump")
    assert not list(tmp_path.iterdir())


def test_a_target_that_holds_data_is_refused_and_keeps_them(
    filled: Database, database_url: str, tmp_path: Path
) -> None:
    _backup(database_url, tmp_path / "emag.dump")
    sync(filled, [offer(1)])
    before = _contents(filled)
    with pytest.raises(PermanentError, match=r"the target is not empty.*it holds \d+ offers.*--replace"):
        _restore(database_url, tmp_path / "emag.dump")
    assert _contents(filled) == before


def test_replace_brings_the_old_state_back_and_keeps_what_others_built_upon_the_tables(
    filled: Database, database_url: str, tmp_path: Path
) -> None:
    with filled.transaction() as tx:
        tx.run("CREATE VIEW public.their_report AS SELECT count(*) AS offers FROM emag_current_offers")
    before = _contents(filled)
    _backup(database_url, tmp_path / "emag.dump")
    sync(filled, [offer(1)])
    _restore(database_url, tmp_path / "emag.dump", replace=True)
    assert _contents(filled) == before
    (report,) = rows(filled, "SELECT offers FROM public.their_report")
    assert report.offers == 247


def test_readers_see_the_old_state_while_a_backup_is_being_restored(
    filled: Database, database_url: str, tmp_path: Path
) -> None:
    _backup(database_url, tmp_path / "emag.dump")
    sync(filled, [offer(1, name="newer")])
    seen: list[int] = []

    def look(said: str) -> None:
        if "rows" in said:
            seen.append(rows(filled, "SELECT count(*) FROM emag_current_offers WHERE name = 'newer'")[0][0])

    _restore(database_url, tmp_path / "emag.dump", replace=True, say=look)
    assert set(seen) == {1}
    assert len(seen) > 5


def test_nothing_is_restored_while_a_sync_runs(database: Database, database_url: str, tmp_path: Path) -> None:
    _backup(database_url, tmp_path / "emag.dump")
    begin(database)
    before = _contents(database)
    with pytest.raises(AnotherSyncRunning, match="main: a sync is running, nothing was restored"):
        _restore(database_url, tmp_path / "emag.dump", replace=True)
    assert _contents(database) == before


def test_a_file_that_is_cut_off_is_refused_and_the_target_untouched(
    filled: Database, database_url: str, tmp_path: Path
) -> None:
    _backup(database_url, tmp_path / "emag.dump")
    content = (tmp_path / "emag.dump").read_bytes()
    before = _contents(filled)
    for kept in (0.999, 0.9, 0.75, 0.6, 0.45, 0.3, 0.02, 0.0):
        (tmp_path / "short.dump").write_bytes(content[: int(len(content) * kept)])
        with pytest.raises(PermanentError, match="the file is truncated, damaged or not a backup"):
            _restore(database_url, tmp_path / "short.dump", replace=True)
    assert _contents(filled) == before


def test_a_damaged_file_is_refused_unless_the_damage_is_in_nothing_that_is_restored(
    database: Database, database_url: str, other: Database, empty_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(one, description=f"{one * 7919}" * 50) for one in range(200)], rejects=[])
    _backup(database_url, tmp_path / "emag.dump")
    whole, before = (tmp_path / "emag.dump").read_bytes(), _contents(database)
    refusals: list[str] = []
    for turn in range(10):
        content = bytearray(whole)
        content[len(content) * turn // 10 + 7] ^= 0xFF
        (tmp_path / "damaged.dump").write_bytes(content)
        try:
            _restore(empty_url, tmp_path / "damaged.dump", replace=True)
        except PermanentError as error:
            refusals.append(error.message)
        else:
            assert _contents(other) == before
    assert refusals
    assert all("damaged" in message for message in refusals)


def test_a_file_of_something_else_is_refused(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no dump at all")
    with pytest.raises(PermanentError, match="the file is truncated, damaged or not a backup"):
        _restore(empty_url, tmp_path / "notes.txt")
    with pytest.raises(SettingsError, match="there is no file"):
        _restore(empty_url, tmp_path / "missing.dump")


@pytest.fixture
def old_backup(cluster: EmbeddedServer, other: Database, empty_url: str, tmp_path: Path) -> Path:
    """A backup from a time when the schema was at its first version."""
    migrate.upgrade(other, "0001")
    with other.transaction() as tx:
        tx.run(
            """INSERT INTO emag_product_offers (account_type, emag_offer_id, validation_status,
                   translation_validation_status, is_saleable, row_hash, first_seen_at, changed_at, last_sync_id)
               VALUES ('main', 7, '{}', '{}', true, '', now(), now(), gen_random_uuid())"""
        )
        tx.run(
            """INSERT INTO emag_requests (sent_at, account_type, resource, outcome, seconds, bytes)
               SELECT now(), 'main', 'x', 'ok', 0, 0 FROM generate_series(1, 5)"""
        )
    _backup(empty_url, tmp_path / "old.dump")
    return tmp_path / "old.dump"


@pytest.mark.parametrize("schema", ["app", "nowhere_yet"])
def test_an_old_backup_arrives_migrated(old_backup: Path, database_url: str, schema: str) -> None:
    restored = _restore(database_url, old_backup, schema)
    target = Database(database_url, schema)
    try:
        migrate.check(target)
        (figures,) = rows(target, "SELECT account_type, offers FROM emag_account_figures")
        assert (figures.account_type, figures.offers) == ("main", 1), "the migration counted what it found"
        assert [row[0] for row in rows(target, "SELECT request_id FROM emag_requests ORDER BY 1")] == [
            1,
            2,
            3,
            4,
            5,
        ]
        assert restored.revision == "0001" != restored.now_at
        assert rows(target, r"SELECT nspname FROM pg_namespace WHERE nspname LIKE '%\_restore'") == []
    finally:
        target.close()


def test_a_backup_of_a_newer_version_is_refused(
    database: Database, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    with database.transaction() as tx:
        tx.run("UPDATE emag_alembic_version SET version_num = '9999'")
    _backup(database_url, tmp_path / "emag.dump")
    with pytest.raises(SchemaMismatch, match="9999, which this code does not know"):
        _restore(empty_url, tmp_path / "emag.dump")


def test_an_older_release_gets_its_backup_back_and_the_newer_schema_is_kept_beside(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1), offer(2)])
    before = _contents(database)
    _backup(database_url, tmp_path / "emag.dump")
    sync(database, [offer(1)], gone=[2])
    with database.transaction() as tx:
        tx.run("UPDATE emag_alembic_version SET version_num = '9999'")
        tx.run("CREATE TABLE emag_of_tomorrow (id bigint)")
    with pytest.raises(SchemaMismatch, match="9999, which this code does not know"):
        _restore(database_url, tmp_path / "emag.dump")
    said: list[str] = []
    _restore(database_url, tmp_path / "emag.dump", replace=True, say=said.append)
    assert _contents(database) == before
    assert [line for line in said if "was kept as app_9999" in line]
    assert rows(database, "SELECT count(*) FROM app_9999.emag_offer_syncs")[0][0] == 2


def test_after_a_restore_the_marts_follow_what_was_restored(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """They note which publish they show, and look at what has changed since."""
    sync(database, [offer(1, general_stock=0), offer(2, buy_button_rank=1), offer(3)])
    _refresh_marts(database)
    sync(database, [offer(1), offer(2, buy_button_rank=2), offer(3, general_stock=0)])  # not in the marts of the backup
    _backup(database_url, tmp_path / "emag.dump")
    sync(database, [offer(1), offer(2, buy_button_rank=1), offer(3)])
    _refresh_marts(database)
    _restore(database_url, tmp_path / "emag.dump", replace=True)
    sync(database, [offer(1), offer(2, buy_button_rank=2)], gone=[3])
    _refresh_marts(database)
    for mart in OF_NEWEST_PUBLISH:
        again = refresh_mart(database, mart, "main", from_scratch=True)
        assert (again.inserted, again.updated, again.deleted) == (0, 0, 0)


def _refresh_marts(database: Database) -> None:
    for mart in OF_NEWEST_PUBLISH:
        refresh_mart(database, mart, "main")
