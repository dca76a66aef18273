"""0010: the schema's functions mean the same whoever calls them, and whatever stands on their search path."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.errors import PermanentError
from emag_pipeline.store import catalog, migrate, roles
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.databases import administer
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import execute, rows, sync

#: What is called by the pipeline alone, as the tables' owner.
_OF_THE_PIPELINE = {"emag_analyze", "emag_make_room", "emag_empty_room", "emag_remove_room"}
_CALLS = {
    "emag_account_currency": "'main'",
    "emag_ean_keys": "ARRAY['5941234567899']",
    "emag_in_currency": "'RON', 'RON'",
    "emag_issue_codes": "CAST(1 AS smallint), 0, 10, CAST(1 AS smallint), '{9}', '{}'",
    "emag_known_since": "'main'",
    "emag_known_until": "'main'",
    "emag_offers_as_of": "'main', :at",
    "emag_offers_as_of_if_known": "'main', :at",
    "emag_offers_by_ean": "'5941234567899'",
    "emag_plain_text": "'<b>Missing</b> brand'",
    "emag_reason_texts": """'{"ro": "Lipsă", "en": "Missing"}', 'en'""",
    "emag_refusal_said": """'product_8', '{"validation_status": [{"value": 8, "description": "No"}]}', NULL, 'en'""",
    "emag_require_known": "'main', :at",
    "emag_room_name": "'emag_scan_offers', 'main'",
    "emag_sales_pace": "'main', '{1}', '2020-01-01Z', :at",
    "emag_usual_currency": "ARRAY['RON', 'RON', 'EUR']",
    "emag_vat_rates_as_of": "'main', :at",
}
#: Names of PostgreSQL's own that the functions use, each of which raises an error when it is found here first.
_TRAPS = """
    CREATE SCHEMA trap;
    CREATE FUNCTION trap.raised(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
    CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.raised);
    CREATE FUNCTION trap.left(text, integer) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
    CREATE FUNCTION trap.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
    CREATE FUNCTION trap.cardinality(anyarray) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
    GRANT USAGE ON SCHEMA trap TO emag_reader;
"""


@pytest.fixture
def published(cluster: EmbeddedServer, database: Database) -> Iterator[Database]:
    """Two publishes of an offer, and a reader with no more than his rights."""
    for stock in (5, 3):
        sync(database, [offer(1, general_stock=stock, currency="RON", ean=("5941234567899",))])
    execute(database, "INSERT INTO emag_accounts (account_type, marketplace) VALUES ('main', 'emag_ro')")
    execute(
        database,
        """INSERT INTO emag_vat_rate_history (marketplace, vat_id, rate, valid_from)
           VALUES ('emag_ro', 1, 0.21, '2026-01-01Z')""",
    )
    with database.transaction() as tx:
        tx.run("CREATE ROLE emag_reader")
    roles.grant(database)
    execute(database, "GRANT USAGE ON SCHEMA {schema} TO emag_reader")
    yield database
    execute(database, "DROP OWNED BY emag_reader")
    administer(cluster, "DROP ROLE emag_reader")


def _as_reader(database: Database, search_path: str, function: str, at: datetime) -> list[Any]:
    """What a reader gets who calls the function by its schema and name."""
    with database.transaction() as tx:
        tx.run("SET LOCAL ROLE emag_reader")
        tx.run(f"SET LOCAL search_path TO {search_path}")
        return [tuple(row) for row in tx.run(f"SELECT * FROM {{schema}}.{function}({_CALLS[function]})", at=at)]


def test_every_function_for_readers_is_called_here(database: Database) -> None:
    assert {function.name for function in catalog.functions(database)} == _OF_THE_PIPELINE | set(_CALLS)


@pytest.mark.parametrize("function", _CALLS)
def test_a_function_means_the_same_whatever_a_readers_search_path_is(published: Database, function: str) -> None:
    at = datetime.now(UTC)
    expected = _as_reader(published, "{schema}", function, at)
    assert any(value not in (None, [], "") for row in expected for value in row), "an answer that says something"
    execute(published, _TRAPS)
    found = _as_reader(published, "trap, pg_catalog", function, at)
    assert found == expected or function == "emag_known_until", "which answers with the time of the call"


def test_the_traps_are_traps(published: Database) -> None:
    execute(published, _TRAPS)
    for used in ("CAST('a' AS text) = 'b'", "left(CAST('a' AS text), 1)", "unnest(ARRAY[1])", "cardinality(ARRAY[1])"):
        with pytest.raises(PermanentError, match="trapped"):
            execute(published, f"SET LOCAL search_path TO trap, pg_catalog; SELECT {used}")


def test_names_in_a_function_are_bound_when_it_is_made(database: Database) -> None:
    """In every function, also one that a later migration makes."""
    loose = rows(
        database,
        r"""SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
            WHERE p.pronamespace = CAST('{schema}' AS regnamespace) AND p.proname LIKE 'emag\_%'
              AND CASE l.lanname WHEN 'sql' THEN p.prosqlbody IS NULL OR p.proconfig IS NOT NULL
                                 ELSE array_to_string(p.proconfig, ' ') NOT LIKE '%search_path=pg_catalog, pg_temp%' END
                  IS NOT FALSE""",
    )
    assert loose == []


def test_the_past_of_a_schema_that_was_renamed_can_be_read(published: Database) -> None:
    """As that of a newer release is, which a restore sets aside."""
    execute(published, "ALTER SCHEMA {schema} RENAME TO aside")
    with published.transaction() as tx:
        found = tx.run("SELECT general_stock FROM aside.emag_offers_as_of_if_known('main', now())").scalars().all()
    execute(published, "ALTER SCHEMA aside RENAME TO {schema}")
    assert found == [3]


def test_a_column_that_a_function_reads_is_not_dropped_beneath_it(database: Database) -> None:
    """What later migrations meet: they drop the function first, or replace it."""
    with pytest.raises(PermanentError, match=r"function emag_vat_rates_as_of\(.*\) depends on column rate"):
        execute(database, "ALTER TABLE emag_vat_rate_history DROP COLUMN rate")


def test_functions_of_a_filled_database_answer_as_before(empty_url: str) -> None:
    database = Database(empty_url)
    migrate.upgrade(database, "0009")
    at = sync(database, [offer(1, general_stock=5, ean=("5941234567899",))]).published_at
    execute(database, "CREATE SCHEMA bi")
    execute(database, "CREATE VIEW bi.past AS SELECT * FROM emag_offers_as_of('main', now())")
    asked = {
        "past": "SELECT * FROM emag_offers_as_of('main', :at)",
        "by_ean": "SELECT * FROM emag_offers_by_ean('5941234567899')",
        "built_upon": "SELECT * FROM bi.past",
    }
    before = {name: rows(database, sql, at=at) for name, sql in asked.items()}
    assert all(len(found) == 1 for found in before.values())
    migrate.upgrade(database)
    assert {name: rows(database, sql, at=at) for name, sql in asked.items()} == before
    database.close()


def test_comments_of_partitions_that_were_there_are_those_of_their_tables(empty_url: str) -> None:
    database = Database(empty_url)
    migrate.upgrade(database, "0009")
    execute(database, "SELECT emag_make_room('main')")
    migrate.upgrade(database)
    others = rows(
        database,
        """SELECT c.relname, a.attname FROM pg_inherits i
           JOIN pg_class c ON c.oid = i.inhrelid
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
           JOIN pg_attribute p ON p.attrelid = i.inhparent AND p.attname = a.attname
           WHERE c.relkind = 'r' AND col_description(a.attrelid, a.attnum) IS DISTINCT FROM
                 col_description(p.attrelid, p.attnum)""",
    )
    assert others == []
    (page,) = rows(
        database,
        "SELECT col_description('emag_scan_pages'::regclass, attnum) AS said FROM pg_attribute "
        "WHERE attrelid = 'emag_scan_pages'::regclass AND attname = 'page'",
    )
    assert "page_size" not in page.said
    database.close()
