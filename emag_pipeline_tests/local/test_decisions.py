"""What an operator decides and looks up on the command line: `approve` and `rejects`."""

import getpass
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import context_for, refresh, refused

pytestmark = pytest.mark.services


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": 320}) as server:
        yield server


@pytest.fixture
def variables(market: SandboxServer, database_url: str) -> dict[str, str]:
    login = {"EMAG_API_USERNAME": "main@sandbox.example", "EMAG_API_PASSWORD": "sandbox"}
    return {**login, "EMAG_API_BASE_URL": market.url, "DATABASE_SYNC_URL": database_url}


def test_a_refused_scan_is_approved_by_its_id(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    refresh(context_for(database, market.url))
    market.remove("main", market.ids("main")[:100])
    sync_id = refused(context_for(database, market.url)).lease.sync_id
    done = emag_pipeline(tmp_path, "approve", str(sync_id), **variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the next scheduled run publishes it" in done.stdout
    by = rf"approved by {re.escape(getpass.getuser())} at 20..-..-.. ..:.. UTC \(sync {sync_id}\)"
    assert re.search(f"main: {by}: the next run publishes it", emag_pipeline(tmp_path, "status", **variables).stdout)
    context = context_for(database, market.url)
    stage_account(context)
    volume = audit_scan(context).verdicts[3]
    assert re.search(rf"^100 of 320 published offers have vanished \(31.25%\), .*; {by}$", volume.sentence)
    assert (volume.passed, volume.findings) == (True, 100)
    assert publish_scan(context).published.deleted == 100
    status = emag_pipeline(tmp_path, "status", "--json", **variables)
    approval = json.loads(status.stdout)["accounts"][0]["approval"]
    assert (approval["sync_id"], approval["by"]) == (str(sync_id), getpass.getuser())
    refused_and_approved = f"main: the audit refused what is published, it was {by}"
    assert re.search(refused_and_approved, emag_pipeline(tmp_path, "status", **variables).stdout)


def test_a_scan_without_offers_is_approved_only_with_the_option_that_says_so(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    refresh(context_for(database, market.url))
    market.remove("main", market.ids("main"))
    sync_id = str(refused(context_for(database, market.url)).lease.sync_id)
    done = emag_pipeline(tmp_path, "approve", sync_id, **variables)
    assert done.returncode == 3
    assert f"run `emag-pipeline approve {sync_id} --even-if-empty`" in done.stderr
    assert emag_pipeline(tmp_path, "approve", sync_id, "--even-if-empty", **variables).returncode == 0


def test_what_cannot_be_approved_ends_with_3_and_says_why(variables: dict[str, str], tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "approve", "00000000-0000-0000-0000-000000000000", **variables)
    assert done.returncode == 3
    assert "cannot be approved: it is not an account's newest sync" in done.stderr


def test_the_quarantine_is_shown_with_reasons_and_payloads(
    market: SandboxServer, database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("poison", row="huge_id", rows=1, pages=[2])
    refresh(context_for(database, market.url))
    shown = emag_pipeline(tmp_path, "rejects", **variables).stdout
    assert "outside 1 to 4294967295" in shown
    (row,) = json.loads(emag_pipeline(tmp_path, "rejects", "--account", "main", "--json", **variables).stdout)
    assert (row["account"], row["page"], row["emag_offer_id"]) == ("main", 2, None)
    assert json.loads(row["payload"])["id"] == 2**63 + market.ids("main")[97]  # windows overlap
