"""Each way in which an answer can be wrong, and what the client makes of it."""

from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest
from pydantic import SecretStr

from emag_pipeline.errors import AccessRefused, ApiUnavailable, DatabaseUnavailable, RateLimited, RequestRefused
from emag_pipeline.marketplace import MarketplaceClient, ProcessBudget, Timeouts
from emag_pipeline.marketplace.responses import NOT_OF_SANDBOX
from emag_pipeline.model import RequestRecord
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings.accounts import Account, AccountName
from emag_pipeline_tests.marketplace.clients import PASSWORD, USERNAME, Client, client_of

_UNBELIEVABLE: list[tuple[str, dict[str, Any], str]] = [
    ("server_error", {}, "the marketplace fails: HTTP 503"),
    ("server_error", {"status": 500}, "the marketplace fails: HTTP 500"),
    ("html_200", {}, "the response is a web page, not JSON: HTTP 200"),
    ("is_error", {}, "the marketplace reports an error: HTTP 200, isError is true, An internal error has occurred"),
    ("missing_is_error", {}, "the response has no valid isError flag: HTTP 200, isError is missing"),
    ("truncated_json", {}, "the response is truncated or not JSON: HTTP 200"),
    ("truncated_json", {"cut": "connection"}, "the connection was lost before the response was complete"),
    ("reset", {}, "the connection was lost before the response was complete"),
    ("reset", {"after_bytes": 500}, "the connection was lost before the response was complete"),
]


@pytest.mark.parametrize(("kind", "options", "words"), _UNBELIEVABLE)
def test_an_unbelievable_answer_is_asked_for_again(
    sandbox: SandboxServer, client: Client, kind: str, options: dict[str, Any], words: str
) -> None:
    sandbox.add_fault(kind, count=1, **options)
    assert len(client.read_page(1).offers) == 100
    assert client.outcomes == ["ApiUnavailable", "ok"]
    assert sandbox.stats("main")["requests"] == 2


@pytest.mark.parametrize(("kind", "options", "words"), _UNBELIEVABLE)
def test_an_answer_that_stays_unbelievable_is_an_error_in_words(
    sandbox: SandboxServer, client: Client, kind: str, options: dict[str, Any], words: str
) -> None:
    sandbox.add_fault(kind, **options)
    with pytest.raises(ApiUnavailable) as caught:
        client.read_page(3)
    assert caught.value.message.startswith(f"main, page 3: {words}")
    assert "tried 2 times" in caught.value.why
    assert caught.value.remedy
    assert client.outcomes == ["ApiUnavailable", "ApiUnavailable"]


def test_the_body_of_a_failure_is_kept_and_that_of_a_success_is_not(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("html_200", count=1)
    client.count()
    assert "Revenim imediat" in (client.records[0].error_body or "")
    assert client.records[1].error_body is None


@pytest.mark.parametrize("status", [401, 403, 200])
def test_wrong_credentials_are_refused_after_one_call(sandbox: SandboxServer, client: Client, status: int) -> None:
    sandbox.add_fault("wrong_credentials", status=status)
    with pytest.raises(AccessRefused, match="refuses the credentials") as caught:
        client.count()
    assert "EMAG_API_PASSWORD" in caught.value.remedy
    assert sandbox.stats("main")["requests"] == 1
    assert client.outcomes == ["AccessRefused"]


@pytest.mark.parametrize("status", [403, 401, 200])
def test_an_address_that_is_not_whitelisted_has_another_remedy(
    sandbox: SandboxServer, client: Client, status: int
) -> None:
    sandbox.add_fault("ip_not_whitelisted", status=status)
    with pytest.raises(AccessRefused, match="refuses this machine's address") as caught:
        client.read_offer(5)
    assert "whitelist" in caught.value.remedy
    assert caught.value.where == "main, offer 5"
    assert sandbox.stats("main")["requests"] == 1


def test_a_password_that_is_really_wrong_is_refused(sandbox: SandboxServer) -> None:
    with client_of(sandbox.url, password="another") as client, pytest.raises(AccessRefused):
        client.count()


def test_before_each_further_try_it_waits_about_twice_as_long(sandbox: SandboxServer) -> None:
    """Half a second, a second, and so on, each with up to half a second by chance."""
    sandbox.add_fault("server_error")
    told: list[float] = []
    with (
        client_of(sandbox.url, attempts=4, waits=lambda _, seconds: told.append(seconds)) as client,
        pytest.raises(ApiUnavailable, match="tried 4 times"),
    ):
        client.read_page(1)
    assert all(least <= wait <= least + 0.5 for least, wait in zip((0.5, 1.0, 2.0), told, strict=True))
    sent = [one["time"] for one in sandbox.requests("main")]
    assert all(later - one >= wait - 0.05 for (one, later), wait in zip(pairwise(sent), told, strict=True))


def test_a_429_is_waited_out_as_long_as_the_answer_asks(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("storm_429", retry_after=2, count=1)
    client.count()
    assert client.outcomes == ["RateLimited", "ok"]
    assert client.waits == [2.0]
    first, second = sandbox.requests("main")
    assert second["time"] - first["time"] >= 1.95


def test_a_429_without_retry_after_slows_down_for_a_second(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("storm_429", count=1)
    client.count()
    assert client.waits == [1.0]


def test_a_storm_of_429_ends_as_rate_limited(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("storm_429", retry_after=1)
    with pytest.raises(RateLimited, match="main, product_offer/count: the rate limit is exceeded: HTTP 429") as caught:
        client.count()
    assert caught.value.wait_seconds == 1.0
    assert len(client.waits) == 2


def test_an_unknown_resource_is_a_wrong_call_and_not_repeated(sandbox: SandboxServer) -> None:
    with client_of(f"{sandbox.url}/elsewhere") as client:
        with pytest.raises(RequestRefused, match="refuses the request: HTTP 404"):
            client.count()
        assert client.outcomes == ["RequestRefused"]


def test_an_empty_page_is_a_page(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("empty_page")
    assert client.read_page(1).offers == ()


def test_absence_is_never_inferred_from_a_failure(sandbox: SandboxServer, client: Client) -> None:
    for kind in ("html_200", "missing_is_error", "is_error"):
        sandbox.add_fault(kind)
        with pytest.raises(ApiUnavailable):
            client.read_offer(4_000_000_000)
        sandbox.clear_faults()


def test_a_sandbox_that_is_not_running_is_named_in_the_remedy() -> None:
    with SandboxServer(accounts={"main": 1}) as gone:
        pass
    with (
        client_of(gone.url, attempts=1) as client,
        pytest.raises(ApiUnavailable, match=r"127\.0\.0\.1 refuses") as caught,
    ):
        client.count()
    assert "`emag-pipeline sandbox`" in caught.value.remedy
    assert client.records[0].status is None


def test_a_name_that_does_not_resolve_is_said_so() -> None:
    with client_of("http://nowhere.invalid/api-3", attempts=1) as client, pytest.raises(ApiUnavailable) as caught:
        client.count()
    assert "the name nowhere.invalid cannot be resolved" in caught.value.message


class Away(ProcessBudget):
    """A budget whose database is away."""

    def reserve(self, account: str) -> float:
        raise DatabaseUnavailable("the database cannot be reached")


def test_an_error_of_the_rate_budget_passes_through_and_is_no_call(sandbox: SandboxServer) -> None:
    records = list[RequestRecord]()
    account = Account(AccountName("main"), sandbox.url, USERNAME, SecretStr(PASSWORD))
    with (
        closing(MarketplaceClient(account, Away(3, 180), record=records.append)) as marketplace,
        pytest.raises(DatabaseUnavailable, match=r"^the database cannot be reached\.$"),
    ):
        marketplace.count()
    assert records == []
    assert sandbox.stats("main")["requests"] == 0


def test_a_slow_answer_within_the_timeouts_is_fine(sandbox: SandboxServer) -> None:
    sandbox.add_fault("slow", seconds=0.3)
    with client_of(sandbox.url, timeouts=Timeouts(read_seconds=20)) as client:
        assert client.count().rows == 250
    assert client.records[0].seconds >= 0.3


def _refusal(sandbox: SandboxServer, username: str = USERNAME, *, is_of_sandbox: bool = True) -> str:
    client = client_of(sandbox.url, attempts=1, username=username, is_of_sandbox=is_of_sandbox)
    with client as asking, pytest.raises(AccessRefused) as caught:
        asking.count()
    return caught.value.remedy


def test_only_an_account_that_the_sandbox_does_not_have_is_told_so(sandbox: SandboxServer) -> None:
    assert _refusal(sandbox, "other@sandbox.example") == NOT_OF_SANDBOX
    usual = _refusal(sandbox, "other@sandbox.example", is_of_sandbox=False)
    assert "EMAG_API_USERNAME and EMAG_API_PASSWORD" in usual


@pytest.mark.parametrize("kind", ["wrong_credentials", "ip_not_whitelisted", "invalid_ip", "not_allowed"])
def test_a_refusal_by_a_fault_has_the_same_remedy_on_the_sandbox_as_elsewhere(
    sandbox: SandboxServer, kind: str
) -> None:
    each: tuple[dict[str, Any], ...] = ({}, {"status": 401}, {"status": 401, "form": "bare"})
    for options in each:
        sandbox.add_fault(kind, **options)
        assert _refusal(sandbox) == _refusal(sandbox, is_of_sandbox=False) != NOT_OF_SANDBOX
        sandbox.clear_faults()
