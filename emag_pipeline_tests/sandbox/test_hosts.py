"""The sandbox answers those who name it, not pages that make a browser call this machine under a name of their own."""

import http.client

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox


def _status(sandbox: SandboxServer, path: str, **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=20)
    try:
        connection.putrequest("POST", path, skip_host=True)
        for name, value in {"Content-Length": "2", **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(b"{}")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "LocalHost:1", "[::1]:8765", "127.1.2.3"])
def test_loopback_is_answered_by_any_of_its_names(sandbox: SandboxServer, host: str) -> None:
    assert _status(sandbox, "/_control/stats", Host=host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.1.evil.example", "[", ""]
)
@pytest.mark.parametrize("path", ["/_control/stats", "/api-3/product_offer/count"])
def test_other_names_are_refused(sandbox: SandboxServer, host: str, path: str) -> None:
    assert _status(sandbox, path, Host=host) == 421
    assert sandbox.stats("main")["requests"] == 0


def test_a_page_of_another_site_commands_nothing(sandbox: SandboxServer) -> None:
    assert _status(sandbox, "/_control/stats", Host="127.0.0.1", Origin="https://evil.example") == 421
    assert _status(sandbox, "/_control/stats", Host="127.0.0.1", Origin="null") == 421
    assert _status(sandbox, "/_control/stats", Host="127.0.0.1", Origin="http://localhost:3333") == 200


def test_further_names_are_given(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(hosts=["sandbox", " Market.Example "])
    assert _status(sandbox, "/_control/stats", Host="sandbox:8765") == 200
    assert _status(sandbox, "/_control/stats", Host="market.example") == 200
    assert _status(sandbox, "/_control/stats", Host="evil.example") == 421
