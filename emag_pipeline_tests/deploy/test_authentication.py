"""The examples for a login before the UI answer to one name, whatever a caller names."""

import re

from emag_pipeline_tests.deploy.sites import ROOT

_EXAMPLES = ROOT / "deploy/authentication"


def test_nginx_answers_one_name_only_and_passes_on_no_other() -> None:
    text = (_EXAMPLES / "nginx.conf").read_text()
    first, second = re.findall(r"^server \{.*?^\}", text, re.DOTALL | re.MULTILINE)
    assert "default_server" in first
    assert "return 444;" in first
    assert "proxy_pass" not in first
    (name,) = re.findall(r"server_name +(\S+);", second)
    assert re.findall(r"proxy_set_header Host (\S+);", second) == [name]
    assert not re.search(r"\$(host|http_host)\b", text)


def test_caddy_answers_one_name_only_and_passes_on_no_other() -> None:
    text = (_EXAMPLES / "Caddyfile").read_text()
    (name,) = re.findall(r"^(\S+) \{$", text, re.MULTILINE)
    assert name != ":443"
    assert re.findall(r"header_up Host (\S+)", text) == [name]


def test_what_the_services_write_is_theirs_alone() -> None:
    text = (ROOT / "deploy/systemd/emag-pipeline-.service.d/10-service.conf").read_text()
    assert re.findall(r"^(?:StateDirectoryMode|UMask)=(\d+)$", text, re.MULTILINE) == ["0700", "0077"]
