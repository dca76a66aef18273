import json
from pathlib import Path
from typing import Any

import pytest

from emag_pipeline.admin.doctor import Verdict
from emag_pipeline.monitoring.health import health_page, health_status
from emag_pipeline.monitoring.incidents import IncidentFinding, note
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import Said, record_check_result
from emag_pipeline_tests.admin.doctors import diagnosed, found
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, rows, sync


@pytest.fixture
def variables(database_url: str) -> dict[str, str]:
    """`main` alone is configured."""
    return {"DATABASE_SYNC_URL": database_url, "EMAG_ACCOUNTS": "main", "EMAG_SANDBOX": "1"}


def _of_old(database: Database) -> None:
    for account in ("main", "old"):
        sync(database, [offer(1), offer(2)], account=account)
        record_check_result(
            database, Said(account, "offers_are_fresh", "offers", "ERROR", False, "published 9 hours ago")
        )
        note(database, IncidentFinding(f"refresh_marts of {account}", "failing", "no", "Look"))


def _tables(database: Database, account: str) -> dict[str, int]:
    """Rows of each table in which the account's name stands anywhere."""
    names = rows(
        database, "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
    )
    counted = {}
    for (name,) in names:
        sql = f"SELECT count(*) FROM {name} t WHERE t::text ~ :word"
        counted[name] = int(rows(database, sql, word=rf"\m{account}\M")[0][0])
    return {name: number for name, number in counted.items() if number}


def _forget(home: Path, variables: dict[str, str], *arguments: str) -> Any:
    return emag_pipeline(home, "forget", *arguments, **variables)


def test_it_first_says_and_then_removes_all_of_one_account_and_nothing_of_another(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    _of_old(database)
    before, others = _tables(database, "old"), _tables(database, "main")
    said = _forget(tmp_path, variables, "old")
    assert said.returncode == 0
    assert "emag_product_offers: 2 rows would be removed" in said.stdout
    assert "`emag-pipeline forget old --yes` does it, and only a backup can bring it back" in said.stdout
    assert _forget(tmp_path, variables, "old", "--dry-run").stdout == said.stdout
    both = _forget(tmp_path, variables, "old", "--dry-run", "--yes")
    assert (both.returncode, both.stdout) == (2, "")
    assert "--yes and --dry-run exclude each other" in both.stderr
    assert _tables(database, "old") == before
    done = json.loads(_forget(tmp_path, variables, "old", "--yes", "--json").stdout)
    assert done["removed"]["emag_offer_states"] == 2
    assert _tables(database, "old") == {}
    assert _tables(database, "main") == others


def test_tables_of_other_software_in_the_schema_are_left_alone(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    _of_old(database)
    execute(database, "CREATE TABLE customers AS SELECT 'old' AS account_type")
    execute(database, "CREATE TABLE tickets AS SELECT 'old' AS subject")
    assert _forget(tmp_path, variables, "old", "--yes").returncode == 0
    assert rows(database, "SELECT * FROM customers CROSS JOIN tickets") == [("old", "old")]


@pytest.mark.parametrize("options", [(), ("--yes",), ("--yes", "--json")])
def test_an_account_that_nobody_knows_is_refused_with_those_that_are_known(
    database: Database, variables: dict[str, str], tmp_path: Path, options: tuple[str, ...]
) -> None:
    _of_old(database)
    refused = _forget(tmp_path, variables, "odl", *options)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "emag-pipeline: there is no account 'odl': it is not configured, and nothing is kept of it. "
        "Known accounts: main, old (no longer configured).\n"
    )
    assert _tables(database, "old") != {}


def test_a_configured_account_of_which_nothing_is_kept_is_known(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    done = _forget(tmp_path, variables, "main")
    assert (done.returncode, done.stdout) == (0, "main: nothing is kept of it\n")


@pytest.mark.parametrize("name", [".*", "*", "../old", "Old"])
def test_what_is_no_name_of_an_account_is_refused(
    database: Database, variables: dict[str, str], tmp_path: Path, name: str
) -> None:
    _of_old(database)
    refused = _forget(tmp_path, variables, name, "--yes")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert f"{name!r} is not the name of an account: names consist of lower-case letters, " in refused.stderr
    assert _tables(database, "old") != {}


def test_a_configured_account_is_refused(database: Database, variables: dict[str, str], tmp_path: Path) -> None:
    sync(database, [offer(1)])
    done = _forget(tmp_path, variables, "main", "--yes")
    assert done.returncode == 2
    assert "the account main is configured" in done.stderr
    default = {"DATABASE_SYNC_URL": variables["DATABASE_SYNC_URL"], "EMAG_SANDBOX": "1"}
    dry = _forget(tmp_path, default, "main", "--dry-run")
    assert dry.returncode == 0
    assert "emag_product_offers: 1 row would be removed" in dry.stdout
    *_, last = dry.stdout.splitlines()
    assert last.startswith("nothing was removed, and --yes is refused: the account main is configured")
    assert "Set the credentials of your own account" in last
    assert "set EMAG_ACCOUNTS=fbe first" in last
    assert "`emag-pipeline forget main --yes` does it" not in dry.stdout
    document = json.loads(_forget(tmp_path, default, "main", "--json").stdout)
    assert (document["dry_run"], document["refused"]) == (True, last.partition("is refused: ")[2])
    assert rows(database, "SELECT count(*) FROM emag_product_offers")[0][0] == 1


def test_a_configured_account_whose_offers_came_from_elsewhere_may_be_forgotten(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    sync(database, [offer(1)])
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_accounts (account_type, marketplace, host)
               VALUES ('main', 'emag.ro', 'marketplace-api.emag.ro')
               ON CONFLICT (account_type) DO UPDATE SET host = excluded.host"""
        )
    assert _forget(tmp_path, variables, "main", "--yes").returncode == 0
    assert _tables(database, "main") == {}


def test_a_running_sync_is_left_alone(database: Database, variables: dict[str, str], tmp_path: Path) -> None:
    begin(database, account="old")
    done = _forget(tmp_path, variables, "old", "--yes")
    assert done.returncode == 4
    assert "a sync is running" in done.stderr


def test_status_names_accounts_that_are_not_configured_any_more(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    _of_old(database)
    table, document = (emag_pipeline(tmp_path, "status", *options, **variables) for options in ((), ("--json",)))
    assert "old: is no longer configured here" in table.stdout
    assert "emag-pipeline forget old" in table.stdout
    assert json.loads(document.stdout)["not_configured"] == ["old"]


def _files(home: Path) -> list[Path]:
    """What the pipeline writes of an account, and of another whose name begins the same."""
    names = (
        "reports/old.html",
        "logs/sync-old.log",
        "logs/sync-old.log.1",
        "reports/older.html",
        "logs/sync-older.log",
    )
    for name in names:
        file = home / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("old")
    return [home / name for name in names]


def test_the_report_and_the_logs_of_the_account_go_too_and_what_stays_is_said(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    sync(database, [offer(1)], account="old")
    files = _files(tmp_path)
    said = _forget(tmp_path, variables, "old")
    assert "emag_product_offers: 1 row would be removed" in said.stdout
    assert f"{files[0]}: would be removed" in said.stdout
    assert all(file.exists() for file in files)
    done = _forget(tmp_path, variables, "old", "--yes")
    assert done.returncode == 0
    assert [file.exists() for file in files] == [False, False, False, True, True]
    for stays in ("stays: logs of all accounts", "stays: Dagster's runs", "stays: backups, exports"):
        assert stays in said.stdout
        assert stays in done.stdout
    again = _forget(tmp_path, variables, "old", "--json")
    assert (again.returncode, again.stdout) == (2, "")
    assert "there is no account 'old': it is not configured, and nothing is kept of it" in again.stderr


def test_doctor_and_health_name_accounts_that_are_not_configured_any_more(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    _of_old(database)
    diagnosis = diagnosed(tmp_path, **variables)
    finding = found(diagnosis, "account old")
    assert (finding.verdict, finding.remedy) == (Verdict.OK, "")
    assert "is no longer configured here" in finding.what
    assert "emag-pipeline forget old" in finding.what
    settings = load_settings({**variables, "EMAG_HOME": str(tmp_path)}, None)
    assert health_page(health_status(database, settings))["not_configured"] == ["old"]
