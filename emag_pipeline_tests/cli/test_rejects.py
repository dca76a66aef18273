import json
from pathlib import Path

import pytest

from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, stage


@pytest.fixture
def refused(database: Database, database_url: str) -> dict[str, str]:
    """The environment of a command, after a refused sync of an account that was never published."""
    lease = begin(database)
    bad = [Reject(None, f"id is '{text}', not a number", "{}") for text in "abc"]
    stage(database, lease, [offer(1)], rejects=bad)
    execute(database, "UPDATE emag_scan_offers SET unreadable = '{sale_price}'")
    ledger.end(database, lease, "failed", error_class="RefusedError", message="", remedy="")
    return {"DATABASE_SYNC_URL": database_url}


def test_a_pipe_gets_whole_lines_however_wide_a_terminal_would_be(refused: dict[str, str], tmp_path: Path) -> None:
    wide = emag_pipeline(tmp_path, "rejects", **refused)
    narrow = emag_pipeline(tmp_path, "rejects", **refused, COLUMNS="30")
    assert (narrow.returncode, narrow.stdout) == (0, wide.stdout)
    assert "\u2026" not in narrow.stdout.replace("id is \u2026,", "")


def test_rows_are_listed_and_counted_by_reason(refused: dict[str, str], tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "rejects", "--account", "main", "--limit", "2", **refused)
    assert done.returncode == 0
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines == [
        "account page offer kind reason",
        "main 1 no id quarantined id is 'a', not a number",
        "main 1 no id quarantined id is 'b', not a number",
        "",
        "4 rows, of which --limit shows 2:",
        "account rows reason first",
        "main 3 id is …, not a number a row without an id on page 1",
        "main 1 sale_price cannot be read offer 1 on page 1",
    ]


def test_json_has_the_rows_as_read_and_their_kind(refused: dict[str, str], tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "rejects", "--json", **refused)
    first, *_, last = json.loads(done.stdout)
    assert (first["kind"], first["emag_offer_id"], first["payload"]) == ("quarantined", None, "{}")
    assert (last["kind"], last["emag_offer_id"], json.loads(last["payload"])) == ("unreadable field", 1, {"id": 1})


def test_an_account_without_rejects_says_so(refused: dict[str, str], tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "rejects", "--account", "fbe", **refused)
    assert (done.returncode, done.stdout) == (0, "no row is in quarantine\n")
