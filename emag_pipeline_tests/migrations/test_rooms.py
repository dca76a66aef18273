"""0008 on a database that the version before has filled: what is staged moves into rooms, by account."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from emag_pipeline import embedded
from emag_pipeline.review.checks import review
from emag_pipeline.settings import load_settings
from emag_pipeline.store import catalog, migrate
from emag_pipeline.store.catalog import own_partitions
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures, ledger, staging_room
from emag_pipeline.sync.approval import approve
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.sync.syncs import begin, execute, rows

#: Three offers, of which one is published and not shown: a count of two.
_PROOF = figures.ScanFigures(
    count_before=2, count_after=2, pages_expected=1, pages_staged=1, rows=2, distinct_ids=2, rejected=0, quarantined=0,
    found_by_id=0, confirmed_gone=0, missing=0, published_before=9, arrivals=0, rounds=1, proven=1, windows=1,
).as_proof()  # fmt: skip
#: account: what became of its syncs, the newest last
_ACCOUNTS = {
    "published": ("completed",),
    "refused": ("completed", "refused"),
    "approved": ("completed", "approved"),
    "interrupted": ("completed", "interrupted"),
    "failed": ("refused", "completed", "nothing staged"),
    "o'hara": ("completed",),
}
#: status, phase, error class, whether approved
_ENDS = {
    "completed": ("completed", "publishing", None, False),
    "refused": ("failed", "auditing", "RefusedError", False),
    "approved": ("failed", "auditing", "RefusedError", True),
    "interrupted": ("cancelled", "scanning", "Interrupted", False),
    "nothing staged": ("failed", "planning", "ApiUnavailable", False),
}
_SYNC = """
    INSERT INTO emag_offer_syncs
        (sync_id, account_type, status, phase, lease_token, deadline_at, pages_expected, pages_done, windows_staged,
         offers_expected, offers_created, error_class, completed_at, proof, approved_at, approved_by)
    VALUES (gen_random_uuid(), :account, :status, :phase, gen_random_uuid(), now() + interval '2 hours', 1, 1, 1,
            2, 2, :error, now(), CAST(:proof AS jsonb), CASE WHEN :approved THEN now() + interval '1 second' END,
            CASE WHEN :approved THEN 'ana' END)
    RETURNING sync_id
"""
#: A window of two offers, one of which was read by its id too, and what the publish changed.
_STAGED = (
    """INSERT INTO emag_scan_pages
           (sync_id, number, reading, page, size, position, ids, offers, rejects, content_hash, fetched_at)
       VALUES (:sync, 1, 1, 1, 100, 0, '{1,2}', 2, 0, '', now())""",
    """INSERT INTO emag_scan_offers
           (sync_id, page, fetched_at, emag_offer_id, row_hash, content_hash, validation_status,
            translation_validation_status, is_saleable, ean, raw, unreadable, name)
       SELECT :sync, 1, now(), number, '', '', '{9}', '{}', true, '{594}', '{"a": 1}', '{}', 'Cafea'
       FROM generate_series(1, 2) number""",
    """INSERT INTO emag_scan_confirmations (sync_id, emag_offer_id, is_found) VALUES (:sync, 3, false)""",
    """INSERT INTO emag_scan_changes (sync_id, emag_offer_id, change, content_changed)
       VALUES (:sync, 1, 'created', false)""",
)


def _fill(database: Database) -> None:
    for account, ends in _ACCOUNTS.items():
        for end in ends:
            status, phase, error, approved = _ENDS[end]
            sync = {"account": account, "status": status, "phase": phase, "error": error, "approved": approved}
            ((sync_id,),) = rows(database, _SYNC, **sync, proof=json.dumps(_PROOF))
            if end != "nothing staged":
                _stage(database, sync_id)
    _stage(database, "00000000-0000-0000-0000-000000000000")  # of a sync that the ledger does not know


def _stage(database: Database, sync_id: object) -> None:
    for sql in _STAGED:
        execute(database, sql, sync=sync_id)


@pytest.fixture(scope="module")
def migrated(cluster: embedded.EmbeddedServer) -> str:
    """The name of a database of version 0007 that was filled and brought to the newest one."""
    database = Database(cluster.url("filled_rooms"))
    migrate.upgrade(database, "0007")
    _fill(database)
    execute(database, "CREATE ROLE rooms_owner; CREATE ROLE rooms_etl; GRANT ALL ON SCHEMA {schema} TO rooms_owner")
    for table in staging_room.TABLES:
        execute(database, f"ALTER TABLE {table} OWNER TO rooms_owner")
    execute(database, "GRANT SELECT, INSERT ON emag_scan_offers TO rooms_etl")
    migrate.upgrade(database)
    database.close()
    return "filled_rooms"


@pytest.fixture
def filled(cluster: embedded.EmbeddedServer, migrated: str) -> Iterator[Database]:
    """A copy of it."""
    with copied(cluster, migrated, f"{migrated}_copy") as url, closing(Database(url)) as database:
        yield database


def _staged(database: Database, account: str) -> list[tuple[int, int, int, int]]:
    """For each sync of the account, the oldest first: windows, offers, confirmations, changes in its room."""
    tables = ("emag_scan_pages", "emag_scan_offers", "emag_scan_confirmations", "emag_scan_changes")
    counts = ", ".join(
        f"(SELECT count(*) FROM {staging_room.name(table, account)} t WHERE t.sync_id = s.sync_id)" for table in tables
    )
    found = rows(
        database,
        f"SELECT {counts} FROM emag_offer_syncs s WHERE account_type = :account ORDER BY sync_number",
        account=account,
    )
    return [(row[0], row[1], row[2], row[3]) for row in found]


_ALL, _NOTHING = (1, 2, 1, 1), (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("account", "staged"),
    [
        ("published", [_ALL]),
        ("refused", [_ALL, _ALL]),
        ("approved", [_ALL, _ALL]),
        ("interrupted", [_ALL, _ALL]),
        ("failed", [_NOTHING, _ALL, _NOTHING]),
        ("o'hara", [_ALL]),
    ],
)
def test_what_may_still_be_published_or_was_published_last_moves_into_its_accounts_room(
    account: str, staged: list[tuple[int, int, int, int]], filled: Database
) -> None:
    assert _staged(filled, account) == staged
    (known,) = rows(filled, "SELECT count(*) FROM emag_scan_offers WHERE account_type = :a", a=account)
    assert known[0] == sum(one[1] for one in staged)


def test_each_value_stands_where_it_stood(filled: Database) -> None:
    found = rows(
        filled,
        """SELECT emag_offer_id, page, validation_status, ean, CAST(raw AS text) AS raw, name, is_saleable
           FROM emag_scan_offers WHERE account_type = 'published' ORDER BY 1""",
    )
    assert [tuple(row) for row in found] == [(n, 1, [9], ["594"], '{"a": 1}', "Cafea", True) for n in (1, 2)]
    (window,) = rows(
        filled, "SELECT number, ids, size, is_unreadable FROM emag_scan_pages WHERE account_type = 'published'"
    )
    assert tuple(window) == (1, [1, 2], 100, False)


def test_of_a_sync_that_nobody_knows_nothing_stays_nor_of_the_tables_before(filled: Database) -> None:
    known = "SELECT sync_id FROM emag_offer_syncs"
    assert rows(filled, f"SELECT sync_id FROM emag_scan_pages WHERE sync_id NOT IN ({known})") == []
    assert rows(filled, r"SELECT relname FROM pg_class WHERE relname LIKE 'emag\_undivided%'") == []
    with filled.transaction() as tx:
        assert len(own_partitions(tx)) == len(staging_room.TABLES) * len(_ACCOUNTS)


def test_a_refused_scan_can_be_approved_and_an_approved_one_taken_up(filled: Database) -> None:
    settings = load_settings({"DATABASE_SYNC_URL": "postgresql://nobody@localhost/nothing"}, env_file=None)
    newest = "SELECT sync_id FROM emag_offer_syncs WHERE account_type = :a ORDER BY sync_number DESC LIMIT 1"
    ((refused,),) = rows(filled, newest, a="refused")
    assert approve(filled, settings, refused, "ana") == "refused"
    for account in ("refused", "approved"):
        lease = begin(filled, account)
        assert (lease.resumed, lease.approved) == (True, True)
        assert ledger.read(filled, lease.sync_id).windows_staged == 1
    assert begin(filled, "interrupted").resumed


def test_the_last_publish_is_still_compared_with_what_was_read(filled: Database) -> None:
    for account in ("published", "failed", "interrupted"):
        found = review(filled, "published_equals_scan", account, currency=None, price_move=0.5)
        assert found.numbers["is_staged"], account
        assert found.found == 2, "what was read is not published here"


def test_whose_staging_is_and_who_may_use_it_stays(filled: Database) -> None:
    parts = ["emag_scan_offers", staging_room.name("emag_scan_offers", "published")]
    found = rows(
        filled,
        """SELECT relname, pg_get_userbyid(relowner) AS owner,
                  ARRAY(SELECT privilege_type FROM aclexplode(relacl)
                        WHERE pg_get_userbyid(grantee) = 'rooms_etl' ORDER BY 1) AS rights
           FROM pg_class WHERE relname = ANY (:parts) ORDER BY 1""",
        parts=parts,
    )
    assert [tuple(row) for row in found] == [(part, "rooms_owner", ["INSERT", "SELECT"]) for part in parts]
    staging_room.make(filled, "arrived")
    (made,) = rows(
        filled,
        "SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relname = :part",
        part=staging_room.name("emag_scan_pages", "arrived"),
    )
    assert made.owner == "rooms_owner"


def test_every_column_of_staging_says_what_it_means(filled: Database) -> None:
    tables = [table for table in catalog.tables(filled) if table.name in staging_room.TABLES]
    assert len(tables) == len(staging_room.TABLES)
    for table in tables:
        assert table.comment.startswith("Staging: ")
        assert [column.name for column in table.columns if not column.comment] == []
        assert "account_type" in [column.name for column in table.columns]


def test_no_comment_names_a_document_that_only_developers_have(filled: Database) -> None:
    told = [table.comment for table in catalog.tables(filled)]
    told += [column.comment for table in catalog.tables(filled) for column in table.columns]
    told += [function.comment for function in catalog.functions(filled)]
    assert len(told) > 100
    assert [comment for comment in told if "emag-api" in comment] == []
