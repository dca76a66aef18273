"""Rate limits (docs/marketplace-api.md, "Rate limits")."""

import pytest
import requests

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.sandbox.limits import RateWindows
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox

ACCOUNTS = {"main": 10, "fbe": 10}


@pytest.fixture
def strict(open_sandbox: OpenSandbox) -> SandboxServer:
    """The marketplace's own limits: three a second, 180 a minute."""
    return open_sandbox(accounts=ACCOUNTS, requests_per_second=3, requests_per_minute=180)


@pytest.fixture
def frugal(open_sandbox: OpenSandbox) -> SandboxServer:
    """Two a minute."""
    return open_sandbox(accounts=ACCOUNTS, requests_per_minute=2)


def statuses(reader: Reader, number: int) -> list[int]:
    return [reader.call().status_code for _ in range(number)]


def test_the_limits_are_the_documented_ones_by_default() -> None:
    sandbox = SandboxServer(0)
    settings = sandbox.settings()
    sandbox.stop()
    assert (settings["requests_per_second"], settings["requests_per_minute"]) == (3, 180)


def test_the_fourth_call_in_a_second_is_refused(strict: SandboxServer) -> None:
    assert statuses(Reader(strict), 4) == [200, 200, 200, 429]


def test_a_refusal_has_the_documented_body_and_headers(strict: SandboxServer) -> None:
    reader = Reader(strict)
    statuses(reader, 3)
    answer = reader.call()
    assert answer.json() == {"message": "API rate limit exceeded"}
    assert answer.headers["X-RateLimit-Limit-3second"] == "3"
    assert answer.headers["X-RateLimit-Remaining-3second"] == "0"
    assert answer.headers["Content-Type"] == "application/json"


def test_good_answers_say_what_remains(strict: SandboxServer) -> None:
    reader = Reader(strict)
    assert [reader.call().headers["X-RateLimit-Remaining-3second"] for _ in range(3)] == ["2", "1", "0"]


def test_without_a_limit_no_header_speaks_of_one(sandbox: SandboxServer) -> None:
    assert not [name for name in Reader(sandbox).call().headers if name.startswith("X-RateLimit")]


def test_the_minute_has_a_window_of_its_own(frugal: SandboxServer) -> None:
    assert statuses(Reader(frugal), 3) == [200, 200, 429]


def test_refused_calls_are_counted_as_over_limit(frugal: SandboxServer) -> None:
    statuses(Reader(frugal), 5)
    stats = frugal.stats("main")
    assert (stats["requests"], stats["over_limit"]) == (5, 3)


def test_each_account_has_its_own_budget(frugal: SandboxServer) -> None:
    statuses(Reader(frugal), 3)
    assert Reader(frugal, "fbe").call().status_code == 200


def test_invalid_calls_count_like_any_other(frugal: SandboxServer) -> None:
    reader = Reader(frugal)
    assert [reader.call("no/such").status_code for _ in range(3)] == [404, 404, 429]


def test_calls_with_a_wrong_password_count_against_the_account(frugal: SandboxServer) -> None:
    intruder = Reader(frugal)
    intruder.session.auth = ("main@sandbox.example", "guess")
    assert [*statuses(intruder, 2), *statuses(Reader(frugal), 1)] == [401, 401, 429]


def test_commands_are_neither_counted_nor_limited(frugal: SandboxServer) -> None:
    control = frugal.url.replace("/api-3", "/_control/settings")
    assert {requests.post(control, json={}, timeout=20).status_code for _ in range(5)} == {200}
    assert frugal.stats("main")["requests"] == 0


def test_the_fullest_windows_are_remembered(sandbox: SandboxServer) -> None:
    statuses(Reader(sandbox), 4)
    stats = sandbox.stats("main")
    assert 1 <= stats["most_in_a_second"] <= stats["most_in_a_minute"] == 4


def test_a_call_exactly_a_second_after_the_first_of_three_may_pass() -> None:
    windows = RateWindows()
    verdicts = [windows.arrive(moment, 3, 180).allowed for moment in (10.0, 10.1, 10.2, 11.0)]
    assert verdicts == [True] * 4


def test_a_call_within_the_second_after_the_first_of_three_may_not() -> None:
    windows = RateWindows()
    verdicts = [windows.arrive(moment, 3, 180).allowed for moment in (10.0, 10.1, 10.2, 10.999)]
    assert verdicts == [True, True, True, False]


def test_an_even_pace_of_three_a_second_fills_the_minute_but_not_more() -> None:
    windows = RateWindows()
    assert all(windows.arrive(place / 3 * 1.001, 3, 180).allowed for place in range(500))
    assert (windows.most_in_a_second, windows.most_in_a_minute) == (3, 180)


def test_arrivals_reported_out_of_order_are_judged_by_their_moments() -> None:
    windows = RateWindows()
    for moment in (10.3, 10.1, 10.2):
        assert windows.arrive(moment, 3, 0).allowed
    assert windows.arrive(10.0, 3, 0).allowed
    assert windows.most_in_a_second == 4


def test_refused_calls_keep_the_window_full() -> None:
    windows = RateWindows()
    assert [windows.arrive(10 + place * 0.3, 3, 0).allowed for place in range(6)] == [True] * 3 + [False] * 3
