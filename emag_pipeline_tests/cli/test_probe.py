import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.syncs import rows

_PASSWORD = "ganz-geheim"


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    users = {"main": ("seller@shop.example", _PASSWORD)}
    with unlimited_sandbox(accounts={"main": 120}, users=users) as server:
        yield server


@pytest.fixture
def variables(market: SandboxServer, database_url: str) -> dict[str, str]:
    return {
        "EMAG_API_BASE_URL": market.url,
        "EMAG_API_USERNAME": "seller@shop.example",
        "EMAG_API_PASSWORD": _PASSWORD,
        "DATABASE_SYNC_URL": database_url,
        "EMAG_API_REQUESTS_PER_SECOND": "100",
        "EMAG_API_REQUESTS_PER_MINUTE": "6000",
    }


def test_it_writes_a_file_for_its_owner_and_says_what_was_found(
    market: SandboxServer, variables: dict[str, str], tmp_path: Path
) -> None:
    market.edit("main", market.ids("main")[0], energy_label="A")
    done = emag_pipeline(tmp_path, "probe", **variables)
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third, calls, last = done.stdout.splitlines()
    assert first == "parameters are obeyed at the top level of the body; a page size of 49 is obeyed"
    assert second == "ids ascend over 100 offers; 100% of 49 in the same order when read again"
    assert third.endswith("fields and parts of fields in 100 offers; unknown: energy_label")
    assert calls.startswith("6 calls; the slowest: ")
    assert last == "emag-probe-main.json: shapes only, safe to share"
    file = tmp_path / "emag-probe-main.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text())["unknown_fields"] == ["energy_label"]


def test_its_calls_are_in_the_request_log_and_in_the_rate_budget(
    database: Database, variables: dict[str, str], tmp_path: Path
) -> None:
    emag_pipeline(tmp_path, "probe", "--account", "main", **variables)
    logged = rows(database, "SELECT resource, page, page_size, outcome FROM emag_requests ORDER BY request_id")
    read = "product_offer/read"
    assert [tuple(one) for one in logged] == [
        ("product_offer/count", None, None, "ok"),
        ("product_offer/count", None, None, "ok"),
        (read, 1, None, "ok"),
        (read, 1, 100, "ok"),
        (read, 2, 49, "ok"),
        (read, None, None, "ok"),
    ]
    (budget,) = rows(database, "SELECT slots + coalesce(slots_before, 0) AS slots FROM emag_rate_budget")
    assert budget.slots >= 6


def test_json_is_the_files_content(variables: dict[str, str], tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "probe", "--json", "--output", "probe.json", **variables)
    assert json.loads(done.stdout) == json.loads((tmp_path / "probe.json").read_text())


def test_json_alone_writes_no_file(variables: dict[str, str], tmp_path: Path) -> None:
    assert json.loads(emag_pipeline(tmp_path, "probe", "--json", **variables).stdout)["format"] == 1
    assert list(tmp_path.glob("*.json")) == []


def test_a_refusal_gives_a_file_and_the_errors_exit_code(
    market: SandboxServer, variables: dict[str, str], tmp_path: Path
) -> None:
    market.add_fault("invalid_ip", message="Invalid vendor ip [188.214.106.10]")
    done = emag_pipeline(tmp_path, "probe", "--output", "refused.json", EMAG_LOG_LEVEL="error", **variables)
    assert done.returncode == 5
    assert "Add 188.214.106.10 to the whitelist" in done.stderr
    text = (tmp_path / "refused.json").read_text()
    assert json.loads(text)["refused"]["words"] == "Invalid vendor ip [[IP address]]"
    assert [word for word in ("188.214", "seller", _PASSWORD) if word in text] == []
    assert market.stats("main")["requests"] == 1


def test_a_file_that_cannot_be_written_costs_no_call(
    market: SandboxServer, variables: dict[str, str], tmp_path: Path
) -> None:
    done = emag_pipeline(tmp_path, "probe", "--output", "/proc/probe.json", **variables)
    assert done.returncode == 2
    assert market.stats("main")["requests"] == 0


def test_an_unknown_account_is_wrong_usage(variables: dict[str, str], tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "probe", "--account", "mian", **variables)
    assert (done.returncode, done.stderr) == (2, "emag-pipeline: there is no account 'mian'. Use one of: main.\n")
