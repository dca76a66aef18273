"""The marts without a daemon: `sync` leaves them fresh, `backfill` computes past days."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from emag_pipeline.dagster_runs.instance import opened
from emag_pipeline.local.surroundings import surroundings
from emag_pipeline.marts.registry import MARTS
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import rows, sync

pytestmark = pytest.mark.services

#: Prints the first day that the definitions know.
_FIRST_KEY = "from emag_pipeline.marts.dagster import days; print(days.get_first_partition_key())"


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": 130}) as server:
        yield server


@pytest.fixture
def variables(market: SandboxServer, database_url: str) -> dict[str, str]:
    return {
        "EMAG_API_BASE_URL": market.url,
        "EMAG_API_USERNAME": "main@sandbox.example",
        "EMAG_API_PASSWORD": "sandbox",
        "DATABASE_SYNC_URL": database_url,
        "EMAG_API_REQUESTS_PER_SECOND": "100",
        "EMAG_API_REQUESTS_PER_MINUTE": "6000",
    }


def test_a_sync_leaves_the_marts_fresh_and_its_code_tells_of_one_that_fails(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    done = emag_pipeline(tmp_path, "sync", **variables)
    assert done.returncode == 0, done.stdout
    assert "main: published, its marts and checks are being computed" in done.stdout.splitlines()
    assert done.stdout.splitlines()[-1].startswith("main: published in")
    _, *others = rows(database, "SELECT DISTINCT sync_id FROM emag_mart_refreshes")
    assert others == []
    with database.transaction() as tx:
        tx.run("ALTER TABLE emag_low_stock RENAME TO hidden")
    again = emag_pipeline(tmp_path, "sync", **variables)
    assert again.returncode == 5, again.stdout
    published, warning = again.stdout.splitlines()[-2:]
    assert published.startswith("main: published in")
    assert warning.startswith("main: published, but not all of its marts and checks were computed: ")
    assert "Run `emag-pipeline migrate`" in warning
    assert _of_the_newest_publish(database, "emag_mart_refreshes", "mart = 'daily_assortment'"), "by a job of its own"


def _of_the_newest_publish(database: Database, table: str, condition: str) -> bool:
    sql = f"""SELECT EXISTS (SELECT FROM {table} WHERE {condition} AND sync_id = (
                  SELECT sync_id FROM emag_offer_syncs WHERE status = 'completed'
                  ORDER BY completed_at DESC LIMIT 1))"""
    return bool(rows(database, sql)[0].exists)


def test_a_sync_whose_checks_cannot_be_asked_is_published_says_so_and_computes_the_marts(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    with database.transaction() as tx:
        tx.run("ALTER TABLE emag_accepted_deviations RENAME TO hidden")
    done = emag_pipeline(tmp_path, "sync", "--json", **variables)
    assert done.returncode == 5, done.stdout + done.stderr
    (account,) = json.loads(done.stdout)["accounts"]
    assert (account["exit_code"], account["error"], account["sync"]["status"]) == (5, None, "completed")
    assert account["warning"].startswith("main: published, but not all of its marts and checks were computed: ")
    for mart in (mart.name for mart in MARTS):
        assert _of_the_newest_publish(database, "emag_mart_refreshes", f"mart = '{mart}'")


def test_backfill_computes_each_day_and_dagster_knows_them(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    past = Past(database)
    past.publish(good(1), good(2, status=0))
    past.wait(days=2)
    past.publish(good(1))
    first, today = past.publishes[0][0].date(), past.published_at.date()
    early = emag_pipeline(tmp_path, "backfill", "--from", str(first - timedelta(days=1)), **variables)
    assert (early.returncode, early.stdout) == (2, "")
    assert early.stderr == (
        f"emag-pipeline: main: no assortment can be computed for {first - timedelta(days=1)}: "
        f"the first publish was on {first}. Start from that day: --from {first}.\n"
    )
    set_later = {**variables, "EMAG_FIRST_DAY": str(today)}
    bounded = emag_pipeline(tmp_path, "backfill", "--from", str(first), **set_later)
    assert bounded.returncode == 2
    assert f"EMAG_FIRST_DAY is {today}. Start from that day: --from {today}." in bounded.stderr
    done = emag_pipeline(tmp_path, "backfill", "--from", str(first), **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        f"{first} main: 2 offers, 1 of them saleable",
        f"{first + timedelta(days=1)} main: 2 offers, 1 of them saleable",
        f"{today} main: 1 offer, 1 of them saleable",
    ]
    with opened(load_settings({**variables, "EMAG_HOME": str(tmp_path)}, env_file=None)) as instance:
        known = instance.get_materialized_partitions(dg.AssetKey("daily_assortment"))
    assert known == {f"main|{first + timedelta(days=one)}" for one in range(3)}


def test_days_of_an_account_that_was_published_later_are_left_out(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    older, younger = Past(database), Past(database, "fbe")
    older.publish(good(1))
    older.wait(days=1)
    younger.publish(good(2))
    today = younger.published_at.date()
    accounts = {"EMAG_ACCOUNTS": "main,fbe,outlet"}
    for name in ("FBE", "OUTLET"):
        accounts |= {f"EMAG_{name}_API_USERNAME": f"{name}@sandbox.example", f"EMAG_{name}_API_PASSWORD": "sandbox"}
    yesterday = today - timedelta(days=1)
    done = emag_pipeline(tmp_path, "backfill", "--from", str(yesterday), **variables, **accounts)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        f"fbe: left out before {today}, the day of its first publish",
        "outlet: left out, it was never published",
        f"{yesterday} main: 1 offer, 1 of them saleable",
        f"{today} main: 1 offer, 1 of them saleable",
        f"{today} fbe: 1 offer, 1 of them saleable",
    ]
    alone = emag_pipeline(tmp_path, "backfill", "--from", str(today), "--account", "outlet", **variables, **accounts)
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "outlet: no assortment can be computed: nothing was ever published. Publish first:" in alone.stderr


@pytest.mark.parametrize("day", ["2026-13-01", "2999-01-01"])
def test_a_day_that_cannot_be_computed_is_told_before_anything_is_started(tmp_path: Path, day: str) -> None:
    done = emag_pipeline(tmp_path, "backfill", "--from", day)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("emag-pipeline: ")
    assert not (tmp_path / "postgres").exists()


def test_no_day_before_the_first_publish_is_missing_in_dagster(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    today = datetime.now(UTC).date()
    for published, given, first in (
        (None, {}, today),
        (timedelta(days=3), {}, today - timedelta(days=3)),
        (None, {"EMAG_FIRST_DAY": "2026-10-07"}, date(2026, 10, 7)),
    ):
        if published is not None:
            sync(database, [offer(1)])
            let_pass(database, published)
        settings = load_settings({**variables, "EMAG_HOME": str(tmp_path), **given}, env_file=None)
        with surroundings(settings) as around:
            assert around.environment["EMAG_FIRST_DAY"] == first.isoformat()
            days = subprocess.run(
                [sys.executable, "-c", _FIRST_KEY], env=around.environment, capture_output=True, text=True, check=True
            )
            assert days.stdout.strip().splitlines()[-1] == first.isoformat()


def test_a_failing_day_ends_a_backfill_with_its_code_and_words(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    past = Past(database)
    past.publish(good(1))
    past.wait(days=1)
    first = past.published_at.date()
    with database.transaction() as tx:
        tx.run("ALTER TABLE emag_daily_assortment ADD CONSTRAINT nothing CHECK (offers < 0)")
    done = emag_pipeline(tmp_path, "backfill", "--from", str(first), **variables)
    assert done.returncode in (1, 5)
    (said,) = done.stdout.splitlines()
    assert said.startswith(f"{first} main: ")
    assert "nothing" in said, "the constraint's name"


def _reads(database: Database) -> dict[str, datetime]:
    found = rows(database, "SELECT resource, read_at FROM emag_reference_reads")
    return {row.resource: row.read_at for row in found}


def test_a_sync_reads_reference_data_that_is_missing_or_old_before_it_computes_the_marts(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    done = emag_pipeline(tmp_path, "sync", **variables)
    assert done.returncode == 0, done.stdout
    first = _reads(database)
    assert first.keys() == {"categories", "vat_rates", "handling_times"}
    (known,) = rows(database, "SELECT count(vat_rate) AS rates, count(*) AS listed FROM emag_buy_button")
    assert known.rates == known.listed > 0, "its prices with VAT rest on it"
    assert emag_pipeline(tmp_path, "sync", **variables).returncode == 0
    assert _reads(database) == first, "it is young enough"
    let_pass(database, timedelta(hours=37))
    assert emag_pipeline(tmp_path, "sync", **variables).returncode == 0
    assert min(_reads(database).values()) > max(first.values())


def test_reference_data_that_cannot_be_read_is_told_on_a_line_of_its_own_and_the_marts_are_computed(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("wrong_credentials", resource="vat/read")
    done = emag_pipeline(tmp_path, "sync", **variables)
    assert done.returncode == 5, done.stdout
    published, warning = done.stdout.splitlines()[-2:]
    assert published.startswith("main: published in")
    assert warning.startswith("main: published, but the reference data of its marketplace was not read: ")
    assert _reads(database).keys() == {"categories", "handling_times"}
    for mart in (mart.name for mart in MARTS):
        assert _of_the_newest_publish(database, "emag_mart_refreshes", f"mart = '{mart}'")


def test_of_accounts_that_are_refreshed_at_once_one_reads_the_reference_data(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with unlimited_sandbox(accounts={"main": 30, "fbe": 30}) as market:
        variables = {
            "EMAG_API_BASE_URL": market.url,
            "DATABASE_SYNC_URL": database_url,
            "EMAG_API_REQUESTS_PER_SECOND": "100",
            "EMAG_API_REQUESTS_PER_MINUTE": "6000",
            **{f"EMAG_{name.upper()}_API_{key}": value for name in ("main", "fbe")
               for key, value in (("USERNAME", f"{name}@sandbox.example"), ("PASSWORD", "sandbox"))},
        }  # fmt: skip
        done = emag_pipeline(tmp_path, "sync", **variables)
        assert done.returncode == 0, done.stdout
    calls = rows(database, "SELECT count(*) AS n FROM emag_requests WHERE resource = 'vat/read'")
    assert [row.n for row in calls] == [1]
