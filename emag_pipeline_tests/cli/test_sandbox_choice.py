"""Invented offers come only into a database for which they were asked, and are called so."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import FAST, emag_pipeline
from emag_pipeline_tests.local.ups import free_ports
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.syncs import rows

_OFFERS = "SELECT count(*) FROM emag_product_offers"


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": 40}) as server:
        yield server


@pytest.mark.parametrize("command", ["sync", "up"])
def test_misspelt_credentials_beside_a_database_publish_nothing(
    tmp_path: Path, database: Database, database_url: str, command: str
) -> None:
    given = {"EMAG_API_USERNAM": "seller", "EMAG_API_PASSWORT": "geheim", "DATABASE_SYNC_URL": database_url}
    done = emag_pipeline(tmp_path, command, **given)
    assert done.returncode == 2
    *unread, refusal = done.stderr.splitlines()
    assert [line.split(" is not a known setting. ")[0] for line in unread] == [
        "emag-pipeline: EMAG_API_PASSWORT",
        "emag-pipeline: EMAG_API_USERNAM",
    ]
    assert refusal.startswith("emag-pipeline: a database is configured, but no marketplace credentials: ")
    assert "EMAG_SANDBOX=1" in refusal
    assert "geheim" not in done.stderr + done.stdout
    assert rows(database, _OFFERS) == [(0,)]


def test_an_account_tried_on_the_sandbox_is_not_filled_from_the_marketplace(
    tmp_path: Path, database: Database, database_url: str, market: SandboxServer
) -> None:
    given = {"DATABASE_SYNC_URL": database_url, "EMAG_ACCOUNTS": "main", **FAST}
    chosen = {"EMAG_SANDBOX": "1", "EMAG_SANDBOX_URL": market.url}
    done = emag_pipeline(tmp_path, "sync", **given, **chosen)
    assert done.returncode == 0, done.stderr
    assert "main: SANDBOX, all offers are invented" in done.stdout
    assert rows(database, _OFFERS) == [(40,)]
    status = emag_pipeline(tmp_path, "status", **given, **chosen)
    assert "main: SANDBOX, all offers are invented" in status.stdout
    told = json.loads(emag_pipeline(tmp_path, "status", "--json", **given, **chosen).stdout)
    assert [account["is_invented"] for account in told["accounts"]] == [True]
    real = {"EMAG_API_USERNAME": "seller", "EMAG_API_PASSWORD": "geheim"}
    refused = emag_pipeline(tmp_path, "sync", **given, **real, EMAG_API_BASE_URL="https://127.0.0.2.invalid/api-3")
    assert refused.returncode == 2
    told = "main: its offers came from 127.0.0.1 (a sandbox), but now it would be read from 127.0.0.2.invalid. "
    assert told in refused.stderr
    assert "`emag-pipeline forget main --yes`" in refused.stderr
    elsewhere = {**given, **real, "EMAG_API_BASE_URL": "https://127.0.0.2.invalid/api-3"}
    (line,) = [
        line for line in emag_pipeline(tmp_path, "status", **elsewhere).stdout.splitlines() if line.startswith("main: ")
    ]
    assert line.startswith(f"{told}Remove its stored data with `emag-pipeline forget main --yes`, ")
    findings = json.loads(emag_pipeline(tmp_path, "doctor", "--json", **elsewhere).stdout)["findings"]
    (finding,) = [one for one in findings if "its offers came from" in one["what"]]
    assert (finding["subject"], finding["verdict"]) == ("account main", "broken")
    assert rows(database, _OFFERS) == [(40,)]


def test_credentials_of_a_file_reach_the_run_that_reads_the_marketplace(
    tmp_path: Path, database: Database, database_url: str, market: SandboxServer
) -> None:
    """The run works in another directory, where it would find none and read the sandbox of EMAG_SANDBOX_PORT."""
    home = tmp_path / "home"
    home.mkdir()
    file = home / ".env"
    file.write_text(
        f"EMAG_API_USERNAME=main@sandbox.example\nEMAG_API_PASSWORD=sandbox\nEMAG_API_BASE_URL={market.url}\n"
    )
    file.chmod(0o600)
    given = {"DATABASE_SYNC_URL": database_url, "EMAG_SANDBOX_PORT": str(*free_ports(1)), **FAST}
    done = emag_pipeline(home, "sync", **given)
    assert done.returncode == 0, done.stderr + done.stdout
    assert f"settings: {file}, and the environment" in done.stdout
    assert rows(database, _OFFERS) == [(40,)]
    file.chmod(0o666)
    refused = emag_pipeline(home, "sync", DATABASE_SYNC_URL=database_url)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert f"{file} can be written by everybody" in refused.stderr
