"""Owner, writer and reader do their work with exactly the rights of roles.sql and rights.sql, and nothing more."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from emag_pipeline import embedded
from emag_pipeline.marts.registry import MARTS
from emag_pipeline.store.roles import readable
from emag_pipeline.sync import staging_room
from emag_pipeline_tests.cli.commands import FAST, emag_pipeline
from emag_pipeline_tests.embedded.homes import open_directory, set_up
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox

pytestmark = pytest.mark.services

_SCHEMA = "erp"
_READABLE = {
    "emag_product_offers", "emag_products", "emag_offer_history", "emag_current_offers",
    *(mart.table for mart in MARTS), "emag_categories", "emag_vat_rates",
    "emag_handling_times", "emag_accounts", "emag_reference_reads", "emag_mart_refreshes", "emag_accepted_deviations",
    "emag_offer_syncs", "emag_account_figures", "emag_incidents", "emag_check_results",
    "emag_alembic_version",
    "emag_offer_warehouses", "emag_publishes", "emag_offer_states", "emag_vat_rate_history",
}  # fmt: skip
_WITHHELD = {
    "emag_requests", "emag_offer_rejects", "emag_answer_surprises", "emag_scan_pages", "emag_scan_offers",
    "emag_scan_confirmations", "emag_scan_changes", "emag_row_digests", "emag_rate_budget", "emag_counters",
    "emag_sensor_ticks", "emag_listing_order",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Installation:
    """A server whose database was set up as docs/how-to/roles.md says, without a superuser after the first step."""

    server: embedded.EmbeddedServer
    home: Path

    def url(self, user: str) -> str:
        """The database's URL for a user; the server trusts whoever reaches its socket."""
        return f"postgresql://{user}@/emag?host={self.server.socket_directory}"

    def run(self, user: str, *arguments: str, **variables: str) -> str:
        """A command of ours as a database user; it must succeed."""
        given = {"DATABASE_SYNC_URL": self.url(user), "DB_SCHEMA": _SCHEMA, **variables}
        done = emag_pipeline(self.home, *arguments, **given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def make_roles(self) -> None:
        """`emag-pipeline roles | psql`."""
        command = [str(embedded.program("psql")), "-X", "-q", "-d", self.url("postgres")]
        subprocess.run(command, input=self.run("nobody", "roles"), text=True, check=True)

    def sql(self, user: str, statement: str) -> Any:
        """What a statement returns to a user, if anything."""
        connection = psycopg2.connect(self.url(user))
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    with open_directory() as directory:
        server = embedded.start(set_up(directory / "server"))
        server.ensure_database("emag")
        made = Installation(server, directory / "home")
        made.make_roles()
        assert made.run("emag_owner", "migrate").rstrip().endswith("; privileges granted")
        made.sql("postgres", "CREATE ROLE ana LOGIN IN ROLE emag_reader")
        yield made
        server.stop()


@pytest.fixture(scope="module")
def synced(installation: Installation) -> Installation:
    """After a whole sync as the writer, Dagster's own tables included."""
    users = {"main": ("seller@example.com", "secret")}
    with unlimited_sandbox(accounts={"main": 250}, users=users) as market:
        market.add_fault("poison", row="no_id", count=1)
        installation.run(
            "emag_writer",
            "sync",
            EMAG_API_BASE_URL=market.url,
            EMAG_API_USERNAME="seller@example.com",
            EMAG_API_PASSWORD="secret",
            **FAST,
        )
    return installation


def test_the_writer_syncs_and_the_reader_sees_the_result(synced: Installation) -> None:
    for table in ("emag_current_offers", "emag_offer_history", "emag_products"):
        assert synced.sql("ana", f"SELECT count(*) FROM {_SCHEMA}.{table}") == [(250,)]
    assert synced.sql("ana", f"SELECT count(*) FROM {_SCHEMA}.emag_offers_as_of('main', now())") == [(250,)]


@pytest.mark.parametrize("command", ["backup emag.dump", "prune", "stuck", "recover", "status"])
def test_the_operators_commands_need_no_more_than_the_writer_may(synced: Installation, command: str) -> None:
    synced.run("emag_writer", *command.split())


@pytest.mark.parametrize("command", ["history main", "explain main", "export emag_current_offers --account main"])
def test_the_data_teams_commands_need_no_more_than_the_reader_may(synced: Installation, command: str) -> None:
    name, *words = command.split()
    ((offer_id,),) = synced.sql("ana", f"SELECT min(emag_offer_id) FROM {_SCHEMA}.emag_product_offers")
    given = ["--format", "csv"] if name == "export" else [str(offer_id)]
    assert str(offer_id) in synced.run("ana", name, *words, *given)


def test_every_table_is_either_the_readers_or_withheld_on_purpose(installation: Installation) -> None:
    found = installation.sql(
        "ana",
        f"""SELECT relname, has_table_privilege(oid, 'SELECT') FROM pg_class
            WHERE relnamespace = '{_SCHEMA}'::regnamespace AND relkind IN ('r', 'p', 'v')""",
    )
    rooms = {staging_room.name(table, "main") for table in staging_room.TABLES}  # once it was synced
    assert {name for name, readable in found if readable} == _READABLE
    assert {name for name, readable in found if not readable} - rooms == _WITHHELD


def test_what_can_be_exported_is_what_the_reader_may_read(installation: Installation) -> None:
    found = installation.sql(
        "ana",
        f"""SELECT c.relname, array_agg(a.attname::text)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relnamespace = '{_SCHEMA}'::regnamespace AND c.relkind IN ('r', 'v')
              AND has_column_privilege(c.oid, a.attnum, 'SELECT')
            GROUP BY c.relname""",
    )
    granted = {name: set(columns) for name, columns in found}
    assert granted.keys() == readable().keys()
    for table, columns in readable().items():
        assert columns is None or columns == granted[table]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM erp.emag_requests",
        "SELECT payload FROM erp.emag_offer_rejects",
        "SELECT sample FROM erp.emag_answer_surprises",
        "SELECT count(*) FROM erp.emag_scan_offers",
        "DELETE FROM erp.emag_product_offers",
        "INSERT INTO erp.emag_vat_rates VALUES ('ro', 1, 0.19, '{}', now())",
        "CREATE TABLE erp.mine (id int)",
        "SELECT erp.emag_make_room('mine')",
        "SELECT erp.emag_empty_room('main', NULL)",
        "SELECT erp.emag_remove_room('main')",
        "SELECT erp.emag_analyze('emag_requests')",
    ],
)
def test_the_reader_is_refused(installation: Installation, statement: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        installation.sql("ana", statement)


def test_the_reader_sees_which_rows_came_to_quarantine_and_why(synced: Installation) -> None:
    ((reason,),) = synced.sql("ana", "SELECT reason FROM erp.emag_offer_rejects")
    assert reason == "id is missing"


def test_the_reader_does_not_come_into_dagsters_database(synced: Installation) -> None:
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(synced.url("ana").replace("/emag?", "/emag_dagster?"))


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE erp.emag_requests",
        "TRUNCATE erp.emag_scan_offers",
        "ALTER TABLE erp.emag_requests ADD COLUMN x int",
        "CREATE TABLE erp.mine (id int)",
        "UPDATE erp.emag_alembic_version SET version_num = '0'",
    ],
)
def test_the_writer_changes_rows_never_tables(installation: Installation, statement: str) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        installation.sql("emag_writer", statement)


def test_the_writer_makes_empties_and_removes_an_accounts_part_of_staging_and_does_not_own_it(
    installation: Installation,
) -> None:
    part = staging_room.name("emag_scan_offers", "o'hara")
    installation.sql("emag_writer", "SELECT erp.emag_make_room('o''hara')")
    owned = f"SELECT tableowner FROM pg_tables WHERE tablename = '{part}'"
    assert installation.sql("emag_writer", owned) == [("emag_owner",)]
    assert installation.sql("emag_writer", f"SELECT count(*) FROM erp.{part}") == [(0,)]
    for user, statement in (("emag_writer", "TRUNCATE"), ("emag_writer", "DROP TABLE"), ("ana", "TABLE")):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            installation.sql(user, f"{statement} erp.{part}")
    assert installation.sql("emag_writer", "SELECT erp.emag_empty_room('o''hara', NULL)") == [(True,)]
    assert installation.sql("emag_writer", "SELECT erp.emag_remove_room('o''hara')") == [(True,)]
    assert installation.sql("emag_writer", owned) == []


def test_a_table_of_a_later_migration_is_the_writers_at_once(installation: Installation) -> None:
    installation.sql("emag_owner", "CREATE TABLE erp.later (id int GENERATED ALWAYS AS IDENTITY, x int)")
    try:
        installation.sql("emag_writer", "INSERT INTO erp.later (x) VALUES (1)")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            installation.sql("ana", "SELECT * FROM erp.later")
    finally:
        installation.sql("emag_owner", "DROP TABLE erp.later")


def test_the_owner_may_make_the_scratch_schema_of_a_restore_and_the_writer_may_not(installation: Installation) -> None:
    installation.sql("emag_owner", "CREATE SCHEMA erp_restore; DROP SCHEMA erp_restore")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        installation.sql("emag_writer", "CREATE SCHEMA erp_restore")


def test_the_roles_may_be_made_again(installation: Installation) -> None:
    installation.make_roles()
    assert "already at" in installation.run("emag_owner", "migrate")


def test_a_schema_that_another_user_made_becomes_the_owners_and_foreign_tables_stay(
    installation: Installation,
) -> None:
    installation.sql("postgres", "CREATE TABLE erp.of_the_erp (id int)")
    for table in ("emag_requests", "emag_current_offers"):
        installation.sql("postgres", f"ALTER TABLE erp.{table} OWNER TO postgres")
    installation.make_roles()
    owners = "SELECT tablename FROM pg_tables WHERE schemaname = 'erp' AND tableowner <> 'emag_owner'"
    assert installation.sql("postgres", owners) == [("of_the_erp",)]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        installation.sql("emag_writer", "SELECT * FROM erp.of_the_erp")


def test_an_installation_of_another_user_is_taken_over_with_dagsters_database() -> None:
    """Whose tables are handed over too; what that user kept elsewhere stays."""
    users = {"main": 5}
    with open_directory() as directory, unlimited_sandbox(accounts=users) as market:
        server = embedded.start(set_up(directory / "server"))
        server.ensure_database("emag")
        taken = Installation(server, directory / "home")
        taken.sql("postgres", "CREATE ROLE before LOGIN CREATEDB")
        taken.sql("postgres", "GRANT CREATE ON DATABASE emag TO before")
        sandbox = {"EMAG_SANDBOX": "1", "EMAG_SANDBOX_URL": market.url, "EMAG_ACCOUNTS": "main", **FAST}
        taken.run("before", "sync", **sandbox)
        taken.make_roles()
        taken.run("emag_owner", "migrate")
        taken.run("emag_writer", "sync", **sandbox)
        server.stop()
