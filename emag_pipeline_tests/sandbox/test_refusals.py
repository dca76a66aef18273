"""Refusals because of who calls: their words, statuses and forms (docs/marketplace-api.md, "Errors and refusals")."""

import pytest

from emag_pipeline.sandbox import FaultError, SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader

STATUSES = [200, 400, 401, 403]
WORDS = {
    "invalid_ip": "Invalid vendor ip [127.0.0.1]",
    "not_allowed": "You are not allowed to use this API",
    "wrong_credentials": "Invalid username or password",
    "ip_not_whitelisted": "The IP 127.0.0.1 is not whitelisted for this user",
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("kind", WORDS)
def test_each_refusal_has_its_words_at_each_status(
    sandbox: SandboxServer, reader: Reader, kind: str, status: int
) -> None:
    sandbox.add_fault(kind, status=status)
    answer = reader.call("product_offer/read")
    assert answer.status_code == status
    assert answer.json() == {"isError": True, "messages": [WORDS[kind]], "results": []}


@pytest.mark.parametrize(
    ("kind", "status"),
    [("wrong_credentials", 401), ("not_allowed", 403), ("invalid_ip", 403), ("ip_not_whitelisted", 403)],
)
def test_each_refusal_has_a_usual_status(sandbox: SandboxServer, reader: Reader, kind: str, status: int) -> None:
    sandbox.add_fault(kind)
    assert reader.call().status_code == status


def test_messages_may_be_objects(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("not_allowed", form="objects")
    assert reader.call().json()["messages"] == [{"type": "error", "text": WORDS["not_allowed"]}]


def test_details_may_be_under_errors_while_messages_are_empty(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("invalid_ip", form="errors")
    said = reader.call().json()
    assert (said["messages"], said["errors"]) == ([], [{"message": WORDS["invalid_ip"]}])


def test_a_bare_refusal_has_no_body(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("not_allowed", status=401, form="bare")
    answer = reader.call()
    assert (answer.status_code, answer.content) == (401, b"")


def test_a_gateways_refusal_is_a_page_without_words(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("not_allowed", form="html")
    answer = reader.call()
    assert (answer.status_code, answer.text[:15]) == (403, "<!DOCTYPE html>")


def test_the_words_can_be_given(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("invalid_ip", message="ERROR: Invalid vendor ip [203.0.113.7]")
    assert reader.call().json()["messages"] == ["ERROR: Invalid vendor ip [203.0.113.7]"]


def test_another_form_is_refused_with_words(sandbox: SandboxServer) -> None:
    with pytest.raises(FaultError, match="has no form 'xml', only bare, errors, html, messages, objects"):
        sandbox.add_fault("invalid_ip", form="xml")
