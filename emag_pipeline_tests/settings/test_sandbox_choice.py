"""Credentials go to encrypted addresses or nowhere; the sandbox is a choice."""

import re

import pytest

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import Settings, load_settings

_MAIN = {"EMAG_API_USERNAME": "seller", "EMAG_API_PASSWORD": "geheim"}


def _load(**environ: str) -> Settings:
    return load_settings(environ, env_file=None)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8765/api-3", "http://127.9.9.9/api-3", "http://localhost:1/x", "http://[::1]:8765/api-3"]
)
def test_plain_http_is_for_this_machine(url: str) -> None:
    assert _load(**_MAIN, EMAG_API_BASE_URL=url).accounts[0].base_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://marketplace-api.emag.ro/api-3", "http://10.0.0.5/api-3", "http://127.0.0.1.example.com/api-3",
        "http://localhost.example.com/", "http://0.0.0.0:8765/api-3", "http://2130706433/api-3",
    ],
)  # fmt: skip
def test_plain_http_to_anywhere_else_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"EMAG_API_BASE_URL is {url!r}: user name and password")):
        _load(**_MAIN, EMAG_API_BASE_URL=url)
    with pytest.raises(SettingsError, match="EMAG_MAIN_API_BASE_URL is"):
        _load(**_MAIN, EMAG_MAIN_API_BASE_URL=url)


def test_a_sandbox_elsewhere_is_read_where_it_is_asked_for() -> None:
    settings = _load(EMAG_SANDBOX="1", EMAG_SANDBOX_URL="http://sandbox:8765")
    assert {account.base_url for account in settings.accounts} == {"http://sandbox:8765/api-3"}
    assert (settings.uses_sandbox, settings.starts_sandbox) == (True, False)
    assert _load().starts_sandbox


def test_a_sandboxs_address_alone_is_refused() -> None:
    with pytest.raises(SettingsError, match="Set EMAG_SANDBOX=1"):
        _load(EMAG_SANDBOX_URL="http://sandbox:8765")


@pytest.mark.parametrize("url", ["sandbox:8765", "ftp://sandbox", "http://u:geheim@sandbox", "http://sandbox:x"])
def test_an_address_that_is_none_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(SettingsError, match="EMAG_SANDBOX_URL is") as caught:
        _load(EMAG_SANDBOX="1", EMAG_SANDBOX_URL=url)
    assert "geheim" not in str(caught.value)


def test_the_sandbox_together_with_credentials_is_refused() -> None:
    for credentials in (_MAIN, {"EMAG_FBE_API_PASSWORD": "geheim"}):
        with pytest.raises(SettingsError, match="EMAG_SANDBOX is 1, and there are credentials") as caught:
            _load(EMAG_SANDBOX="1", EMAG_ACCOUNTS="main", **credentials)
        assert "geheim" not in str(caught.value)


def test_a_sandbox_that_listens_elsewhere_is_reached_there() -> None:
    assert _load(EMAG_SANDBOX_BIND="10.0.0.5").accounts[0].base_url == "http://10.0.0.5:8765/api-3"
    everywhere = "0.0.0.0"  # noqa: S104
    assert _load(EMAG_SANDBOX_BIND=everywhere).accounts[0].base_url == "http://127.0.0.1:8765/api-3"


@pytest.mark.parametrize("value", ["yes", "1", "TRUE"])
def test_the_sandbox_is_asked_for_in_several_ways(value: str) -> None:
    assert _load(EMAG_SANDBOX=value).uses_sandbox
    with pytest.raises(SettingsError, match="EMAG_SANDBOX is 'perhaps'"):
        _load(EMAG_SANDBOX="perhaps")
