"""Removes secrets from texts: stored bodies of failed calls, and every log line."""

import base64
import html
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from emag_pipeline.settings.accounts import Account
from emag_pipeline.settings.addresses import is_web, passwords_in

LONGEST_BODY = 2_000
_LONGEST_READ = 65_536
_MASK = "***"
#: shorter values in a webhook's query, such as `v=1`, are not secret
_SHORTEST_TOKEN = 8
_PATTERNS = (
    re.compile(r"(?i)\b(authorization[\"']?\s*[:=]\s*[\"']?)[^\r\n\"'<,}]{1,4096}"),
    re.compile(r"(?i)\b((?:basic|bearer|digest)\s+)[A-Za-z0-9+/=_.~-]{8,4096}"),
    re.compile(r"(\b[a-z][a-z0-9+.-]{1,30}://[^\s:@/?#]{0,256}:)[^\s@/?#]{1,256}(?=@)"),
    re.compile(r"(?i)\b((?:ssl)?password\s*=\s*)(?:'[^']{1,256}'|[^\s&'\"]{1,256})"),
    re.compile(r"()[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"),
)


def secrets_of(account: Account) -> frozenset[str]:
    """The account's secrets: its password, plain and as it is sent."""
    password = account.password.get_secret_value()
    token = base64.b64encode(f"{account.username}:{password}".encode()).decode()
    return frozenset({password, token, token.rstrip("=")})


def secrets_given(given: Mapping[str, str]) -> frozenset[str]:
    """The secrets in variables, valid or not: passwords, and the pieces of malformed URLs."""
    found: set[str] = set()
    for name, value in given.items():
        if name.endswith(("_PASSWORD", "DB_PASS")):
            found.add(value)
        elif name == "EMAG_ALERT_WEBHOOK_URL":
            found |= secrets_of_webhook(value)
        elif name.endswith("_URL") and not is_web(value):
            found |= passwords_in(value)
    return frozenset(found)


def secrets_of_webhook(url: str) -> set[str]:
    """The URL and the parts that a library could show separately: its path and the values of its query."""
    path, _, query = url.partition("://")[2].partition("/")[2].partition("?")
    values = {part.partition("=")[2] for part in query.split("&")}
    pieces = set() if is_web(url) else passwords_in(url)
    return {url, path.strip("/")} | pieces | {value for value in values if len(value) >= _SHORTEST_TOKEN}


class Redactor:
    """Masks given secrets in every common encoding; also passwords in URLs, authorization headers, e-mail addresses."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {one for secret in secrets for one in _spellings(secret)}
        self._spellings = sorted(spellings, key=len, reverse=True)

    def finds(self, text: str) -> bool:
        """Whether the text contains one of the secrets."""
        return any(spelling in text for spelling in self._spellings)

    def __call__(self, text: str, longest: int = LONGEST_BODY) -> str:
        """The text with secrets masked. At most `longest` characters, none of them NUL."""
        if len(text) > _LONGEST_READ:  # drop the end, which may be part of a secret
            text = text[: _LONGEST_READ - (len(self._spellings[0]) if self._spellings else 0)]
        for spelling in self._spellings:
            text = text.replace(spelling, _MASK)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\1{_MASK}", text)
        text = text.replace("\0", "�")
        return text if len(text) <= longest else text[: longest - 1] + "…"


def redact(text: str, secrets: Iterable[str], longest: int = LONGEST_BODY) -> str:
    """The text without the secrets in any common encoding, passwords in URLs, authorization headers, e-mail addresses.

    At most `longest` characters, none of them NUL.
    """
    return Redactor(secrets)(text, longest)


def _spellings(secret: str) -> set[str]:
    if not secret:
        return set()
    escaped = json.dumps(secret)[1:-1]
    shown = {secret, escaped, escaped.replace("/", "\\/"), json.dumps(secret, ensure_ascii=False)[1:-1]}
    unicode = secret.encode("unicode_escape").decode()
    return shown | {quote(secret, safe=""), quote_plus(secret), html.escape(secret), repr(secret)[1:-1], unicode}
