"""URLs whose password is not encoded: refused in a line that shows no piece of it, or taken exactly as meant (G11)."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from emag_pipeline.admin.doctor import Diagnosis, diagnose
from emag_pipeline.errors import SettingsError
from emag_pipeline.logs.configure import _settings_of_lines
from emag_pipeline.settings import Settings, load_settings, secrets_given
from emag_pipeline.settings.addresses import passwords_in
from emag_pipeline.settings.redaction import Redactor

_DATABASES = ("DATABASE_SYNC_URL", "DATABASE_URL", "DAGSTER_PG_URL")
_WEB = ("EMAG_ALERT_WEBHOOK_URL", "EMAG_API_BASE_URL", "EMAG_FBE_API_BASE_URL", "EMAG_SANDBOX_URL")
_ENCODE = "percent-encode @ : / ? # [ ] % in the password"

#: letters that stand together in no sentence of ours, and those that move the borders of a URL
_PASSWORDS = st.text("QZXJqzxj789", min_size=1).flatmap(
    lambda start: st.lists(
        st.sampled_from([*"@:/?#[]%&=+. \\'\"", "qzXJ", "7xQz9", "%41", "℀", "＠", "ö"]), max_size=8
    ).map(lambda rest: start + "".join(rest))
)


def _load(given: Mapping[str, str]) -> Settings:
    return load_settings(given, env_file=None)


def _tried(given: Mapping[str, str]) -> tuple[Settings | None, str]:
    """The settings, or why there are none; anything else that is raised is a defect."""
    try:
        return _load(given), ""
    except SettingsError as error:
        return None, error.message


def _pieces(password: str) -> set[str]:
    """All of four letters in a row that could be told; not those of which the encoding rule itself is made."""
    rows = {password[at : at + 4] for at in range(len(password) - 3)}
    return {row for row in rows if re.search(r"[A-Za-z0-9]", row)}


def _around(variable: str) -> dict[str, str]:
    """What else must be set for the variable to be read."""
    if variable == "EMAG_SANDBOX_URL":
        return {"EMAG_SANDBOX": "1"}
    account = "EMAG_FBE_API" if "FBE" in variable else "EMAG_API"
    return {f"{account}_USERNAME": "u", f"{account}_PASSWORD": "pw"} if "BASE_URL" in variable else {}


@pytest.mark.parametrize("variable", _DATABASES)
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:pre@hunter2tail@localhost:1/emag",
        "postgresql://u:pre@hunter2tail/x@localhost:1/emag",
        "postgresql://u:hunter2[secretpart]x@localhost:1/emag",
        "postgresql://u:hunter2[x@localhost:1/emag",
        "postgresql://u:12345/hunter2@localhost/emag",
        "postgresql://u:12345?hunter2@localhost/emag",
        "postgresql://u:hunter2#tail@localhost/emag",
        "postgresql://u:hunter2%tail@localhost/emag",
        "postgresql://u:hunter2 tail@localhost/emag",
        "postgresql://u:hunter2@localhost:1secretport/emag",
        "postgresql://u:hunter2@local$host/emag",
        "postgresql://u:hunter2@localhost:0/emag",
        "postgresql://u:hunter2@localhost:65536/emag",
        "postgresql://u:hunter2@localhost/emag/hunter2",
        "postgresql://u:hunter2@localhost/emag?host=a@hunter2tail",
        "postgresql://hunter2tail@pre@localhost/emag",
        "mysql://u:pre@hunter2tail@localhost/emag",
        "hunter2",
    ],
)
def test_a_database_url_that_is_not_unmistakable_is_refused_without_its_value(variable: str, url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        _load({variable: url})
    assert refused.value.exit_code == 2
    (line,) = refused.value.message.splitlines()
    assert line.startswith(f"{variable}: ")
    assert _ENCODE in line
    for piece in ("hunter2", "secret", "tail", "12345", "local"):
        assert piece not in line


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p:w@h:5432/emag", "postgresql://u:%40%3A%2F%3F%23%5B%5D%25@h/emag", "postgresql://u:ö€!$&*@h/d",
        "postgresql://u@[::1]:5432/emag", "postgresql://postgres@/emag?host=/run/pg", "postgresql://u:p@h1,h2:1/emag",
        "postgresql://u@/emag?host=a:1&host=[::1]:2".replace("[::1]", "%5B%3A%3A1%5D"), "postgres://u:@h",
        "postgresql:///emag?host=/tmp/x&user=postgres", "postgresql://u@h/e?options=-csearch_path%3Dx&sslmode=require",
    ],
)  # fmt: skip
def test_what_is_unmistakable_is_taken(url: str) -> None:
    settings = _load({"DATABASE_SYNC_URL": url, "EMAG_SANDBOX": "1"})
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql+psycopg2://" + url.partition("://")[2]


@pytest.mark.parametrize("scheme", ["postgresql+asyncpg", "postgresql"])
@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_asyncpgs_ssl_is_translated(scheme: str, mode: str) -> None:
    found = _load({"DATABASE_SYNC_URL": f"{scheme}://u:p@h/d?ssl={mode}&connect_timeout=3"}).database_url
    assert found is not None
    assert found.get_secret_value() == f"postgresql+psycopg2://u:p@h/d?sslmode={mode}&connect_timeout=3"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sslmode=bogus", "sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full"),
        ("ssl=true", "Use sslmode=require or sslmode=verify-full"),
        ("ssl=require&sslmode=require", "sslmode is given twice"),
        ("prepared_statement_cache_size=0", "prepared_statement_cache_size is not a parameter of PostgreSQL's"),
        ("hunter2=1", "one of its parameters is not a parameter of PostgreSQL's client library"),
        ("connect_timeout=soon", "connect_timeout must be a whole number of seconds"),
        ("host=a:99999", "host contains a character"),
        ("port=99999", "port must be a number from 1 to 65535"),
        ("host=a&host=b&port=1", "the numbers of hosts and ports differ"),
        ("port=1,2", "the numbers of hosts and ports differ"),
        ("host=a:1,b:2", "Give several as ?host=one:5432&host=other:5432"),
        ("user=a&user=b", "user is given twice"),
    ],
)
def test_a_parameter_that_the_server_would_never_be_asked_with_is_refused_at_once(query: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as refused:
        _load({"DATABASE_SYNC_URL": f"postgresql://u:p@h/d?{query}"})
    assert not {"hunter2", "bogus", "soon", "99999"} & set(re.findall(r"\w+", refused.value.message))


@pytest.mark.parametrize("variable", _WEB)
@pytest.mark.parametrize(
    "url",
    [
        "http://[x", "ftp://hunter2/x", "htp://hunter2/x", "http://u:hunter2@h/x", "http://u:pre@hunter2@h", "hunter2",
        "https://h:1hunter2/x", "https://h:99999/hunter2", "https://hunt er2/x", "https://h/hunt\u00e9r2", "https://",
    ],
)  # fmt: skip
def test_a_web_address_that_is_none_is_refused_without_its_value(variable: str, url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        _load({variable: url, **_around(variable)})
    (line,) = refused.value.message.splitlines()
    assert variable in line
    assert (refused.value.exit_code, "hunt" in line, "99999" in line) == (2, False, False)


def test_a_webhooks_path_may_hold_an_at_sign() -> None:
    url = "https://outlook.example.com/webhook/guid@guid/Incoming?token=hook-token-1"
    assert {url, "hook-token-1"} <= _load({"EMAG_ALERT_WEBHOOK_URL": url}).secrets


@pytest.mark.parametrize(
    "given",
    [
        {"DB_HOST": "u:hunter2@h"}, {"DB_HOST": "h/hunter2"}, {"DB_HOST": "[x"}, {"DB_HOST": "/run/hunter2"},
        {"DB_HOST": "h", "DB_PASS": "p\udcff"}, {"DB_HOST": "h:1"},
    ],
)  # fmt: skip
def test_parts_of_a_database_are_judged_likewise(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(reversed(given))) as refused:
        _load({"DB_NAME": "d", "DB_USER": "u", **given})
    assert (refused.value.exit_code, "hunter2" in refused.value.message) == (2, False)


@settings(max_examples=400, deadline=None)
@example("pre@hunter2tail", "DATABASE_SYNC_URL")
@example("hunter2[zqxjzqxj]x", "DAGSTER_PG_URL")
@example("12345/hunter2", "DATABASE_URL")
@example("x@[zqxjzqxj", "EMAG_ALERT_WEBHOOK_URL")
@given(_PASSWORDS, st.sampled_from([*_DATABASES, *_WEB]))
def test_no_piece_of_a_password_is_ever_told(password: str, variable: str) -> None:
    """Whoever reads settings: commands, the doctor, and what prepares the log of a command whose settings are wrong."""
    scheme = "postgresql" if variable in _DATABASES else "https"
    environ = {variable: f"{scheme}://me:{password}@localhost:1/emag", **_around(variable)}
    loaded, refusal = _tried(environ)
    if loaded is None:
        assert len(refusal.splitlines()) == 1
        told = [refusal, *_diagnosed(environ)]
        with _environment(environ):
            redacted = Redactor(_settings_of_lines().secrets)
        for piece in _split(password):  # as libraries would tell it
            assert piece not in redacted(f'could not translate host name "{piece}"')
        assert {piece for piece in _pieces(password) if any(piece in text for text in told)} == set()
        return
    assert variable in _DATABASES
    for url in (loaded.database_url, loaded.dagster_pg_url):
        if url is not None:
            taken = make_url(url.get_secret_value())
            assert (taken.username, taken.host, taken.port) == ("me", "localhost", 1)
            assert taken.database in ("emag", "emag_dagster")
            assert taken.password in loaded.secrets


def _split(password: str) -> list[str]:
    """What stands between the letters that should be encoded, where it is long enough to be worth something."""
    return [piece for piece in re.split(r"[@:/?#\[\]%&=\s]", password) if len(piece) >= 4]


def _diagnosed(environ: Mapping[str, str]) -> list[str]:
    diagnosis: Diagnosis = diagnose(environ, Path("/nonexistent/.env"))
    assert diagnosis.exit_code == 2
    return [f"{finding.what} {finding.remedy}" for finding in diagnosis.findings]


@contextmanager
def _environment(environ: Mapping[str, str]) -> Iterator[None]:
    with patch.dict(os.environ, environ, clear=True):
        yield


def test_the_pieces_of_a_malformed_url_are_known_and_of_a_good_one_only_the_password() -> None:
    assert {"hunter2tail", "pre@hunter2tail/x"} <= passwords_in("postgresql://u:pre@hunter2tail/x@localhost:1/emag")
    assert passwords_in("postgresql://u:pre%40tail@localhost:1/emag") == {"pre@tail"}
    assert "hunter2" in secrets_given({"EMAG_API_PASSWORD": "hunter2"})


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [
            *{str(field.alias) for field in Settings.model_fields.values() if field.alias}, *_DATABASES, *_WEB,
            "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASS", "EMAG_ACCOUNTS", "EMAG_API_USERNAME",
            "EMAG_API_PASSWORD", "EMAG_SANDBOX",
        ]
    ),
    st.one_of(
        st.text(min_size=1, max_size=20),
        st.text("[]@:/?#%.0123456789abc \udcff", min_size=1, max_size=12),
        st.sampled_from(["http://[", "9" * 5000, "1e999", "a" * 300, "::1", quote("ö"), "0x10", "-0", "\u0663"]),
    ),
)  # fmt: skip
def test_no_value_of_any_variable_ends_in_anything_but_settings_or_their_error(variable: str, value: str) -> None:
    beside = {"DB_HOST": "h", "DB_NAME": "d", "DB_USER": "u"} if variable.startswith("DB_") else _around(variable)
    loaded, refusal = _tried({**beside, variable: value})
    if loaded is None:
        assert len(refusal.splitlines()) == 1
        assert len(refusal) < 800
    else:
        assert loaded.secrets is not None
