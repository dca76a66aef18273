"""The doctor asks the marketplace itself; its faults are told from each other."""

import http.server
import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from emag_pipeline.admin.doctor import Diagnosis, Verdict
from emag_pipeline.review import deviations
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import remembered
from emag_pipeline.sync.rate_budget import DatabaseBudget
from emag_pipeline.sync.remembered import Habits
from emag_pipeline.wording import iso
from emag_pipeline_tests.admin.doctors import diagnosed, found
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.store.ageing import let_pass, published_ago
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.surprises import surprise
from emag_pipeline_tests.sync.syncs import execute, rows, sync

_PASSWORD = "ganz-geheim"


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    users = {"main": ("seller@example.com", _PASSWORD)}
    with SandboxServer(accounts={"main": 1130}, users=users) as server:
        yield server


def _login(market: SandboxServer) -> str:
    given = {"EMAG_API_BASE_URL": market.url, "EMAG_API_USERNAME": "seller@example.com", "EMAG_API_PASSWORD": _PASSWORD}
    return load_settings(given, env_file=None).account("main").login


def _diagnosed(market_url: str, database_url: str, home: Path, **variables: str) -> Diagnosis:
    given = {
        "EMAG_API_BASE_URL": market_url,
        "EMAG_API_USERNAME": "seller@example.com",
        "EMAG_API_PASSWORD": _PASSWORD,
        "DATABASE_SYNC_URL": database_url,
    }
    diagnosis = diagnosed(home, **(given | variables))
    assert _PASSWORD not in str(diagnosis)
    return diagnosis


def test_a_good_marketplace_costs_one_recorded_call_within_the_budget(
    market: SandboxServer, database: Database, database_url: str, tmp_path: Path
) -> None:
    diagnosis = _diagnosed(market.url, database_url, tmp_path)
    assert "1,130 offers, 2 of 3 calls left" in found(diagnosis, "account main", "answers in").what
    assert found(diagnosis, "account main", "12 of 100 pages").verdict is Verdict.OK
    assert found(diagnosis, "account main", "a sync takes 6 seconds at the allowed rate").verdict is Verdict.OK
    assert market.stats("main")["requests"] == 1
    assert [(row.resource, row.outcome) for row in rows(database, "SELECT * FROM emag_requests")] == [
        ("product_offer/count", "ok")
    ]
    assert len(rows(database, "SELECT * FROM emag_rate_budget WHERE next_slot_at > now()")) <= 1


def test_smaller_pages_and_a_slower_pace_are_told_and_reckoned_with(
    market: SandboxServer, database: Database, database_url: str, tmp_path: Path
) -> None:
    execute(
        database,
        """INSERT INTO emag_accounts (account_type, marketplace, page_size, page_size_at)
           VALUES ('main', 'sandbox', 20, now() - interval '1 hour')""",
    )
    (kept,) = rows(database, "SELECT page_size_at FROM emag_accounts")
    since = f"{kept.page_size_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    again = f"{(kept.page_size_at + timedelta(days=1)).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    budget = DatabaseBudget(database, 3, 180)
    for _ in range(3):
        budget.slow_down(_login(market), 0.0)
    diagnosis = _diagnosed(market.url, database_url, tmp_path)
    pages = found(diagnosis, "account main", "pages of 20")
    assert (pages.verdict, pages.what) == (
        Verdict.WARNING,
        f"pages of 20 offers have been read since {since} because larger ones failed",
    )
    assert pages.remedy == f"No action needed: larger ones are tried again after {again}"
    assert re.search(
        r"slowed to 2\.\d per second since an HTTP 429 at \d", found(diagnosis, "account main", "calls are").what
    )
    seconds = re.search(r"a sync takes (\d+) seconds at the current rate", str(diagnosis.findings))
    assert seconds is not None, diagnosis.findings
    assert int(seconds[1]) >= 28, "57 pages and more, a quarter slower and more"
    variables = {
        "EMAG_API_BASE_URL": market.url,
        "EMAG_API_USERNAME": "seller@example.com",
        "EMAG_API_PASSWORD": _PASSWORD,
        "DATABASE_SYNC_URL": database_url,
    }
    said = " ".join(emag_pipeline(tmp_path, "status", **variables).stdout.split())
    assert f"main: pages of 20 offers have been read since {since} because larger ones failed. No action needed" in said
    assert "main: calls are slowed to 2." in said
    (main,) = json.loads(emag_pipeline(tmp_path, "status", "--json", **variables).stdout)["accounts"]
    assert main["page_size"] == {"size": 20, "since": iso(kept.page_size_at)}
    assert 2 < main["slowed"]["calls_per_second"] < 3


def _said(words: str, status: int) -> dict[str, Any]:
    return {"kind": "is_error", "message": words, "status": status}


@pytest.mark.parametrize(
    ("fault", "said", "remedy"),
    [
        ({"kind": "wrong_credentials"}, "the marketplace refuses the credentials", "EMAG_API_PASSWORD"),
        ({"kind": "ip_not_whitelisted"}, "the marketplace refuses this machine's address", "whitelist"),
        (_said("Invalid vendor ip [188.214.106.10]", 200), "refuses this machine's address", "Add 188.214.106.10 to"),
        (_said("You are not allowed to use this API.", 403), "the marketplace refuses access", "EMAG_API_PASSWORD"),
        (_said("You are not allowed to use this API.", 400), "the marketplace refuses access", "whitelist"),
        (_said("Contractul a expirat", 400), "the marketplace refuses the request", "seller's marketplace account"),
        ({"kind": "server_error"}, "the marketplace fails", "status"),
        ({"kind": "html_200"}, "the response is a web page", "status"),
        ({"kind": "reset"}, "the connection was lost", "network"),
        ({"kind": "hang"}, "no data received for 5 s (read timeout)", "network"),
    ],
)
def test_what_is_wrong_with_the_marketplace_is_told_apart(
    market: SandboxServer, database_url: str, tmp_path: Path, fault: dict[str, Any], said: str, remedy: str
) -> None:
    market.add_fault(**fault)
    diagnosis = _diagnosed(market.url, database_url, tmp_path)
    finding = found(diagnosis, "account main", said)
    # one that is only slow may be well: a sync has more patience than the doctor
    verdict = Verdict.NOT_EXAMINED if fault["kind"] == "hang" else Verdict.BROKEN
    assert (finding.verdict, diagnosis.exit_code) == (verdict, 1)  # the daemon has never run here
    assert remedy in finding.remedy
    assert market.stats("main")["requests"] == 1


def test_a_marketplace_that_is_not_there_is_named(database_url: str, tmp_path: Path) -> None:
    finding = found(
        _diagnosed("http://127.0.0.1:1/api-3", database_url, tmp_path), "account main", "refuses connections"
    )
    assert finding.verdict is Verdict.BROKEN


def test_a_429_is_no_defect(market: SandboxServer, database_url: str, tmp_path: Path) -> None:
    market.add_fault("storm_429")
    finding = found(_diagnosed(market.url, database_url, tmp_path), "account main", "the rate limit is exceeded")
    assert finding.verdict is Verdict.WARNING


def test_after_a_429_the_account_is_left_alone(
    market: SandboxServer, database: Database, database_url: str, tmp_path: Path
) -> None:
    DatabaseBudget(database, 3, 180).slow_down(_login(market), 60)
    assert (
        found(_diagnosed(market.url, database_url, tmp_path), "account main", "asked callers to wait").verdict
        is Verdict.WARNING
    )
    assert market.stats("main")["requests"] == 0


def test_a_call_that_was_put_off_before_the_clock_was_set_back_is_named_and_not_waited_for(
    market: SandboxServer, database: Database, database_url: str, tmp_path: Path
) -> None:
    DatabaseBudget(database, 3, 180).reserve(_login(market))
    let_pass(database, timedelta(hours=-1))
    finding = found(_diagnosed(market.url, database_url, tmp_path), "account main", "clock was set back")
    assert finding.verdict is Verdict.WARNING
    assert market.stats("main")["requests"] == 1
    diagnosis = _diagnosed(market.url, database_url, tmp_path)
    assert not [one for one in diagnosis.findings if "set back" in one.what]


@pytest.mark.parametrize(
    ("pages", "verdict", "said", "remedy"),
    [
        ("11", Verdict.BROKEN, "EMAG_SYNC_MAX_PAGES is 11", "Set it to 17 or more, which leaves room for 5 more pages"),
        ("13", Verdict.WARNING, "12 of 13 pages", "Raise it to 24"),
    ],
)
def test_a_page_bound_that_is_too_small_is_found_before_a_sync_meets_it(
    market: SandboxServer, database_url: str, tmp_path: Path, pages: str, verdict: Verdict, said: str, remedy: str
) -> None:
    finding = found(_diagnosed(market.url, database_url, tmp_path, EMAG_SYNC_MAX_PAGES=pages), "account main", said)
    assert (finding.verdict, finding.remedy) == (verdict, remedy)


def test_a_large_catalogue_has_the_time_that_it_takes(market: SandboxServer, database_url: str, tmp_path: Path) -> None:
    diagnosis = _diagnosed(market.url, database_url, tmp_path, EMAG_SYNC_TIMEOUT_HOURS="0.001")
    finding = found(diagnosis, "account main", "a sync takes")
    assert finding.verdict is Verdict.OK
    assert finding.what.endswith("at the allowed rate; the limit is 13 seconds")


@pytest.mark.parametrize("is_known", [True, False], ids=["odd sizes are ignored", "small pages"])
def test_the_time_of_two_readings_is_told_where_two_are_due(
    market: SandboxServer, database: Database, database_url: str, tmp_path: Path, *, is_known: bool
) -> None:
    if is_known:
        execute(database, "INSERT INTO emag_accounts (account_type, marketplace) VALUES ('main', 'emag_ro')")
        remembered.note_habits(database, "main", Habits(ignores_odd_sizes=True))
    diagnosis = _diagnosed(market.url, database_url, tmp_path, EMAG_API_PAGE_SIZE="30" if is_known else "5")
    seconds = "50 seconds" if is_known else "3 minutes"
    found(diagnosis, "account main", f"a sync takes {seconds} at the allowed rate, because all pages are read twice")


def test_a_stale_account_is_broken_and_its_last_error_told(
    market: SandboxServer, database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1)])
    published_ago(database, timedelta(hours=7))
    finding = found(_diagnosed(market.url, database_url, tmp_path), "account main", "stale")
    assert finding.verdict is Verdict.BROKEN
    assert "published 7 hours ago, 6 hours are allowed" in finding.what


def test_fields_that_are_not_as_known_are_a_warning_until_they_are_accepted(
    market: SandboxServer, database: Database, database_url: str, tmp_path: Path
) -> None:
    surprise(database)
    finding = found(_diagnosed(market.url, database_url, tmp_path), "account main", "not as expected: sale_price")
    assert finding.verdict is Verdict.WARNING
    assert "`emag-pipeline probe --account main`" in finding.remedy
    today = datetime.now(UTC).date()
    deviations.accept(database, "main", "answers_are_as_known", [], reason="reported", until=today, by="ana")
    accepted = found(_diagnosed(market.url, database_url, tmp_path), "account main", "not as expected")
    assert accepted.verdict is Verdict.OK


class _OneClockAhead(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = b'{"isError": false, "messages": [], "results": {"noOfItems": "3", "itemsPerPage": "100"}}'
        self.send_response_only(200)
        self.send_header("Date", format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


def test_a_clock_that_differs_from_the_marketplaces_is_found(database_url: str, tmp_path: Path) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _OneClockAhead) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        diagnosis = _diagnosed(f"http://127.0.0.1:{server.server_port}/api-3", database_url, tmp_path)
        server.shutdown()
    finding = found(diagnosis, "clock", "main's marketplace")
    assert finding.verdict is Verdict.BROKEN
    assert "300 seconds ahead of this machine's" in finding.what or "299 seconds ahead of" in finding.what
