"""`emag-pipeline sync` as an operator has it: a process, configured by environment variables alone."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from emag_pipeline.monitoring.incidents import open_incidents
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.status import sync_progress
from emag_pipeline_tests.admin.doctors import diagnosed, found
from emag_pipeline_tests.cli.commands import emag_pipeline, environment
from emag_pipeline_tests.local.ups import free_ports, wait_until
from emag_pipeline_tests.promises.watching import durable_windows, pages_asked, wait_for_pages, windows_asked
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.services

_PASSWORD = "ein-Geheimnis!"


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    """A marketplace of another seed than the default one."""
    users = {"main": ("seller@example.com", _PASSWORD)}
    with unlimited_sandbox(accounts={"main": 650}, seed=4711, users=users) as server:
        yield server


@pytest.fixture
def variables(market: SandboxServer, database_url: str) -> dict[str, str]:
    return {
        "EMAG_API_BASE_URL": market.url,
        "EMAG_API_USERNAME": "seller@example.com",
        "EMAG_API_PASSWORD": _PASSWORD,
        "DATABASE_SYNC_URL": database_url,
        "EMAG_API_REQUESTS_PER_SECOND": "100",
        "EMAG_API_REQUESTS_PER_MINUTE": "6000",
    }


def test_an_account_given_only_by_the_environment_is_published_exactly(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    done = emag_pipeline(tmp_path, "sync", "--account", "main", **variables)
    assert done.returncode == 0, done.stderr
    assert "main: published in" in done.stdout
    assert "650 created, 0 updated, 0 unchanged, 0 deleted, 0 rows in quarantine" in done.stdout
    assert_published_exactly(database, market, "main")


def test_json_tells_programs_the_same(variables: dict[str, str], tmp_path: Path) -> None:
    (account,) = json.loads(emag_pipeline(tmp_path, "sync", "--json", **variables).stdout)["accounts"]
    assert (account["account"], account["exit_code"], account["error"]) == ("main", 0, None)
    assert (account["sync"]["status"], account["sync"]["pages"], account["sync"]["created"]) == ("completed", 7, 650)


def test_wrong_credentials_are_one_line_with_a_remedy_and_no_rerun(
    market: SandboxServer, variables: dict[str, str], tmp_path: Path
) -> None:
    market.set_user("main", "seller@example.com", "changed")
    done = emag_pipeline(tmp_path, "sync", **variables)
    assert done.returncode == 5
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("main, ")]
    assert "EMAG_API_USERNAME" in line
    assert market.stats("main")["requests"] == 1


def test_a_refused_scan_ends_with_3_and_names_the_command_that_approves(
    market: SandboxServer, variables: dict[str, str], tmp_path: Path
) -> None:
    emag_pipeline(tmp_path, "sync", **variables)
    market.remove("main", market.ids("main")[:300])
    done = emag_pipeline(tmp_path, "sync", **variables)
    assert done.returncode == 3
    assert "300 of 650 published offers have vanished (46.15%)" in done.stdout
    assert "emag-pipeline approve" in done.stdout


def test_an_unknown_account_is_wrong_usage(variables: dict[str, str], tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "sync", "--account", "mian", **variables)
    assert (done.returncode, done.stderr) == (
        2, "emag-pipeline: there is no account 'mian'. Use one of: main.\n",
    )  # fmt: skip


def _start(home: Path, variables: dict[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "emag_pipeline", "sync"]
    return subprocess.Popen(
        command,
        env=environment(home, **variables),
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_second_sync_ends_with_4_while_the_first_works(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("hang", pages=[5], count=1)
    first = _start(tmp_path, variables)
    wait_for_pages(database, 3)
    second = emag_pipeline(tmp_path, "sync", **variables)
    assert second.returncode == 4
    assert "main: another sync is running" in second.stdout
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 130


def test_a_sync_that_a_person_ends_with_recover_says_who_and_that_a_rerun_goes_on(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("hang", pages=[5], count=1)
    process = _start(tmp_path, variables)
    wait_for_pages(database, 3)
    done = emag_pipeline(tmp_path, "recover", "--max-age-hours", "0", **variables)
    assert "it was not stuck; marked as cancelled; its process was" in done.stdout
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.search("main, sync .*ended by \\w+ with `emag-pipeline recover`, it was not stuck", said), said
    assert "the next attempt continues after the last durable page" in said
    assert open_incidents(database) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_at_once_and_the_next_sync_goes_on(
    number: signal.Signals, market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    login = {"EMAG_MAIN_API_USERNAME": "seller@example.com", "EMAG_MAIN_API_PASSWORD": _PASSWORD}
    refresh(context_for(database, market.url, **login))
    market.add_fault("hang", pages=[5], count=1)
    process = _start(tmp_path, variables)
    wait_for_pages(database, 6)
    told = time.monotonic()
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert time.monotonic() - told < 10
    assert "interrupted; the next `emag-pipeline sync` continues after the last durable page" in said
    row = sync_progress(database, "main")
    assert row is not None
    assert (row.status, row.error_class, row.pages_done) == ("cancelled", "Interrupted", 4)  # and some behind a gap
    durable = durable_windows(database)
    log = [json.loads(line) for line in (tmp_path / "logs" / "sync-main.log").read_text().splitlines()]
    wrong = [entry for entry in log if entry["level"] in ("error", "critical") or "Stack Trace" in str(entry)]
    assert wrong == [], "who was told to stop has met no error"
    assert _run_status(database, row.dagster_run_id) == "CANCELED"
    market.reset_stats()
    assert emag_pipeline(tmp_path, "sync", **variables).returncode == 0
    asked = windows_asked(market)
    assert asked
    assert durable.isdisjoint(asked)
    assert_published_exactly(database, market, "main")


def test_it_says_what_it_meets_and_when_that_is_tried_again(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("server_error", count=3)
    done = emag_pipeline(tmp_path, "sync", **variables)
    assert done.returncode == 0
    assert re.search(r"main: planning; .*product_offer/.*; retry at 20\d\d-.* UTC", done.stdout)
    row = sync_progress(database, "main")
    assert row is not None
    assert row.obstacle is None


def test_a_run_that_was_killed_says_so_and_what_to_do(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("hang", pages=[5], count=1)
    process = _start(tmp_path, variables)
    wait_for_pages(database, 3)
    (run,) = [
        child
        for child in psutil.Process(process.pid).children()
        if "emag_pipeline.local.run" in " ".join(child.cmdline())
    ]
    run.kill()
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "main: the run was killed by signal 9 (SIGKILL: " in said
    assert "Run `emag-pipeline sync --account main` again" in said
    _assert_names_its_log_if_it_has_words(said, tmp_path)


def _run_status(database: Database, run_id: str | None) -> str:
    """What Dagster's own database, beside the pipeline's, says of a run."""
    url = database.engine.url.set(database=f"{database.engine.url.database}_dagster")
    with sa.create_engine(url).connect() as connection:
        return str(
            connection.execute(sa.text("SELECT status FROM runs WHERE run_id = :run"), {"run": run_id}).scalar_one()
        )


def test_the_password_is_printed_nowhere(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("is_error", message=f"an internal error for {_PASSWORD}", resource="product_offer/read", count=1)
    done = emag_pipeline(tmp_path, "sync", **variables)
    written = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    logged: list[Any] = rows(database, "SELECT r::text AS line FROM emag_requests r")
    assert len(logged) > 8
    everything = [done.stdout, done.stderr, *written, *(row.line for row in logged)]
    assert not [text for text in everything if _PASSWORD in text]


def _killed(database: Database, variables: dict[str, str], home: Path, *, whole: bool) -> Any:
    """Start a sync and kill -9 it amid its pages, alone or with all its processes; returns its ledger row."""
    process = _start(home, variables)
    wait_for_pages(database, 3)
    run = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for child in run if whole else []:
        child.kill()
    process.wait()
    row = sync_progress(database, "main")
    assert row is not None
    return row


@pytest.mark.parametrize("whole", [True, False])
def test_after_kill_9_the_next_sync_goes_on_at_once(
    whole: bool, market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("hang", pages=[5, 6, 7, 8], seconds=120)
    killed = _killed(database, variables, tmp_path, whole=whole)
    market.clear_faults()
    market.reset_stats()
    began = time.monotonic()
    done = emag_pipeline(tmp_path, "sync", **variables)
    print(f"\npublished {time.monotonic() - began:.1f} s after the kill")
    assert done.returncode == 0, done.stdout
    row = sync_progress(database, "main")
    assert row is not None
    assert (row.sync_id, row.attempt, row.status) == (killed.sync_id, 2, "completed")
    assert "main: resuming with pages read" in done.stdout
    assert_published_exactly(database, market, "main")


def test_every_call_of_a_recovery_that_names_page_1_is_accounted_for(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    """A first sync reads the head again, to see whether the listing reorders itself. A count names page 1 too."""
    market.add_fault("hang", pages=[5, 6, 7, 8], seconds=120)
    _killed(database, variables, tmp_path, whole=True)
    market.clear_faults()
    assert emag_pipeline(tmp_path, "sync", **variables).returncode == 0
    calls = [(one["resource"], one["page"]) for one in market.requests("main")]
    counts = [resource for resource, _ in calls if resource == "product_offer/count"]
    first_pages = [page for resource, page in calls if resource == "product_offer/read" and page == 1]
    assert (len(counts), len(first_pages)) == (2, 2)  # the count of the killed run is still known


def test_anew_reads_every_page_whatever_was_read_before(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("hang", pages=[5, 6, 7, 8], seconds=120)
    killed = _killed(database, variables, tmp_path, whole=True)
    market.clear_faults()
    market.reset_stats()
    done = emag_pipeline(tmp_path, "sync", "--anew", **variables)
    assert done.returncode == 0, done.stdout
    row = sync_progress(database, "main")
    assert row is not None
    assert row.sync_id != killed.sync_id
    assert "going on" not in done.stdout
    assert set(range(1, 9)) <= set(pages_asked(market))  # and one behind the end


def _newest_status(variables: dict[str, str]) -> str:
    database = Database(variables["DATABASE_SYNC_URL"])
    try:
        row = sync_progress(database, "main")
    finally:
        database.close()
    return row.status if row else ""


def test_what_was_published_before_ctrl_c_is_said_to_be_published(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    with database.engine.connect() as connection:
        connection.execute(sa.text("LOCK TABLE app.emag_offer_issues"))  # the marts wait for it
        process = _start(tmp_path, variables)
        wait_until(lambda: _newest_status(variables) == "completed", 300)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "main: published in" in said
    assert "650 created" in said
    assert "interrupted after the publish; marts and checks follow with the next `emag-pipeline sync`" in said
    assert "continues after the last durable page" not in said


def test_a_sync_that_was_killed_is_not_said_to_have_been_told_to_stop(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("hang", pages=[5, 6, 7, 8], seconds=120)
    _killed(database, variables, tmp_path, whole=False)
    wait_until(lambda: _newest_status(variables) == "cancelled", 300)
    row = sync_progress(database, "main")
    assert row is not None
    killed = "interrupted: `emag-pipeline sync`, which had started it, was killed or ended without notice"
    assert killed in (row.error_message or "")


def _runs_of(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    return [child for child in children if "emag_pipeline.local.run" in " ".join(child.cmdline())]


def test_a_run_that_is_killed_at_its_start_gives_its_cause(variables: dict[str, str], tmp_path: Path) -> None:
    process = _start(tmp_path, variables)
    wait_until(lambda: bool(_runs_of(process)), 300)
    _runs_of(process)[0].kill()
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    how = (
        "was killed by signal 9 (SIGKILL: by a person, or by the system because memory ran out) before it began to read"
    )
    assert f"main: the run {how}. Run `emag-pipeline sync --account main` again" in said
    _assert_names_its_log_if_it_has_words(said, tmp_path)


def _assert_names_its_log_if_it_has_words(said: str, home: Path) -> None:
    log = home / "logs" / "sync-main.log"
    assert (f"its log is {log}" in said) == bool(log.read_text())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_it_has_begun_is_answered_with_a_sentence(number: signal.Signals, tmp_path: Path) -> None:
    process = _start(tmp_path, {})
    wait_until(lambda: _listens(process.pid, signal.SIGTERM), 300)
    process.send_signal(number)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 130
    assert said.startswith(f"emag-pipeline: interrupted by {number.name}")
    assert len(said.splitlines()) == 1


def _listens(process_id: int, number: signal.Signals) -> bool:
    (caught,) = re.findall(r"SigCgt:\s+([0-9a-f]+)", Path(f"/proc/{process_id}/status").read_text())
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_an_account_that_the_sandbox_does_not_know_is_named_with_what_to_do(database_url: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    variables = {
        "DATABASE_SYNC_URL": database_url,
        "EMAG_SANDBOX": "1",
        "EMAG_SANDBOX_PORT": str(port),
        "EMAG_ACCOUNTS": "main,fbee",
        "EMAG_API_REQUESTS_PER_SECOND": "100",
        "EMAG_API_REQUESTS_PER_MINUTE": "6000",
    }
    done = emag_pipeline(tmp_path, "sync", "--account", "fbee", **variables)
    assert (
        "EMAG_ACCOUNTS names fbee, which has no credentials and is not one of the sandbox's own accounts. Correct "
        "EMAG_ACCOUNTS (perhaps fbe is meant), or set EMAG_FBEE_API_USERNAME and EMAG_FBEE_API_PASSWORD; until then "
        "its offers are invented."
    ) in done.stdout
    finding = found(diagnosed(tmp_path, **variables), "settings", "fbee, which has no credentials")
    assert "perhaps fbe is meant" in finding.remedy
