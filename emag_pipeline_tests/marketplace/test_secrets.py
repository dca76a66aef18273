"""No secret in any message, record or traceback, whatever goes wrong (G11)."""

import base64
import json
import traceback
from typing import Any

import pytest
from pydantic import SecretStr

from emag_pipeline.errors import PipelineError
from emag_pipeline.marketplace import Timeouts
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings.accounts import Account, AccountName
from emag_pipeline.settings.redaction import LONGEST_BODY, redact, secrets_of
from emag_pipeline_tests.marketplace.clients import PASSWORD, USERNAME, client_of

_TOKEN = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
_SECRETS = secrets_of(Account(AccountName("main"), "http://x", USERNAME, SecretStr(PASSWORD)))
_SPELLINGS = (PASSWORD, json.dumps(PASSWORD)[1:-1], _TOKEN, _TOKEN.rstrip("="), "Pa55")

_ECHO = f"user {USERNAME} with password {PASSWORD}; Authorization: Basic {_TOKEN}"


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("server_error", {}),
        ("html_200", {}),
        ("is_error", {"message": _ECHO}),
        ("is_error", {"message": _ECHO, "status": 400}),
        ("is_error", {"message": "Invalid credentials: " + _ECHO, "status": 401}),
        ("wrong_credentials", {}),
        ("ip_not_whitelisted", {}),
        ("storm_429", {"retry_after": 0}),
        ("missing_is_error", {}),
        ("truncated_json", {}),
        ("truncated_json", {"cut": "connection"}),
        ("hang", {}),
        ("reset", {}),
        ("dribble", {"seconds": 0.1}),
    ],
)
def test_no_failure_shows_the_password(sandbox: SandboxServer, kind: str, options: dict[str, Any]) -> None:
    sandbox.add_fault(kind, **options)
    timeouts = Timeouts(read_seconds=0.3, total_seconds=0.5)
    with client_of(sandbox.url, attempts=1, timeouts=timeouts) as client, pytest.raises(PipelineError) as caught:
        client.read_page(1)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(client.records)
    assert client.records[0].outcome == "error"
    assert not [spelling for spelling in _SPELLINGS if spelling in shown]
    assert USERNAME not in shown


@pytest.mark.parametrize(
    "text",
    [
        f"the password is {PASSWORD}!",
        json.dumps({"password": PASSWORD}),
        json.dumps({"password": PASSWORD}, ensure_ascii=False),
        json.dumps({"password": PASSWORD}).replace("/", "\\/"),
        f"<p>{PASSWORD.replace('&', '&amp;').replace(chr(34), '&quot;')}</p>",
        "password=Pa55%2Fw%C3%B6rd%22%26%2B%C8%9B",
        f"token {_TOKEN}",
        f"Authorization: Basic {_TOKEN}\r\nHost: x",
        f'{{"Authorization": "Basic {_TOKEN}"}}',
    ],
)
def test_a_secret_is_found_in_every_spelling(text: str) -> None:
    redacted = redact(text, _SECRETS)
    assert "Pa55" not in redacted
    assert _TOKEN[:20] not in redacted
    assert "***" in redacted


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("Authorization: Basic c29tZWJvZHk6ZWxzZQ==\nHost: x", "Authorization: ***\nHost: x"),
        ("we saw Basic c29tZWJvZHk6ZWxzZQ== there", "we saw Basic *** there"),
        ("write to ana.pop+emag@firma.example.ro please", "write to *** please"),
        ("nothing to hide, Basic needs", "nothing to hide, Basic needs"),
        ("a\0b", "a�b"),
    ],
)
def test_other_peoples_secrets_are_redacted_too(text: str, redacted: str) -> None:
    assert redact(text, _SECRETS) == redacted


def test_what_is_kept_is_short() -> None:
    assert len(redact("x" * 10_000, _SECRETS)) == LONGEST_BODY


def test_no_half_of_a_secret_stays_at_the_cut() -> None:
    for start in range(65_536 - 30, 65_536):
        assert "Pa55" not in redact(" " * start + PASSWORD * 3, _SECRETS, longest=100_000)


def test_a_long_run_without_spaces_is_redacted_quickly() -> None:
    assert len(redact("a" * 10_000_000, _SECRETS)) == LONGEST_BODY
