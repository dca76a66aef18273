"""Who may call (docs/marketplace-api.md, "Authentication")."""

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.sandbox.calls import Call
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox


@pytest.mark.parametrize("login", [("main@sandbox.example", "wrong"), ("stranger", "sandbox"), ("", "")])
def test_wrong_credentials_are_refused_with_401(reader: Reader, login: tuple[str, str]) -> None:
    reader.session.auth = login
    answer = reader.call()
    assert answer.status_code == 401
    assert answer.json() == {"isError": True, "messages": ["You are not allowed to use this API"], "results": []}


def test_a_call_without_credentials_is_refused(reader: Reader) -> None:
    reader.session.auth = None
    assert reader.call().status_code == 401


def test_a_header_that_is_no_base64_is_refused(reader: Reader) -> None:
    reader.session.auth = None
    reader.session.headers["Authorization"] = "Basic ăîș".encode().decode("latin-1")
    assert reader.call().status_code == 401


def test_a_changed_password_shuts_out_the_old_one(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.set_user("main", "main@sandbox.example", "fresh")
    assert reader.call().status_code == 401
    reader.session.auth = ("main@sandbox.example", "fresh")
    assert reader.call().status_code == 200


def test_a_changed_user_name_shuts_out_the_old_one(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.set_user("main", "elena", "sandbox")
    assert reader.call().status_code == 401


def test_users_can_be_given_at_the_start(open_sandbox: OpenSandbox) -> None:
    reader = Reader(open_sandbox(users={"main": ("ion", "secret:with:colons")}))
    reader.session.auth = ("ion", "secret:with:colons")
    assert reader.call().status_code == 200


def test_strangers_are_counted_apart(sandbox: SandboxServer, reader: Reader) -> None:
    reader.session.auth = ("stranger", "x")
    reader.call()
    assert sandbox.stats("unknown")["requests"] == 1
    assert sandbox.stats("main")["requests"] == 0


def test_the_settings_show_user_names_and_no_passwords(open_sandbox: OpenSandbox) -> None:
    shown = open_sandbox(users={"main": ("ion", "s3cr3t")}).settings()
    assert shown["users"] == {"main": "ion"}
    assert "s3cr3t" not in str(shown)


def test_a_calls_repr_hides_password_and_body() -> None:
    headers = {"Authorization": "Basic aW9uOnMzY3IzdA=="}
    call = Call.of(0.0, "POST", "/api-3/vat/read", headers, b"s3cr3t", "127.0.0.1")
    assert call.password == "s3cr3t"
    assert "s3cr3t" not in repr(call)


def test_a_user_for_an_unknown_account_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="'elsewhere', which is not one of the accounts"):
        SandboxServer(0, users={"elsewhere": ("a", "b")})
