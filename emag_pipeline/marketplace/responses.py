"""Validates responses: only `isError: false` means success.

Everything else is an error, sorted by whether a retry can help. Redirects are never followed: a permanent one (301,
308) means that the base URL is wrong, any other that a gateway is temporarily unavailable. Source:
docs/marketplace-api.md, "Calls and responses", "Errors and refusals".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from emag_pipeline.errors import (
    PAGE_TRIES,
    SLOW_TRIES,
    AccessRefused,
    ApiUnavailable,
    PipelineError,
    RateLimited,
    RequestRefused,
)
from emag_pipeline.marketplace import json_text
from emag_pipeline.settings.accounts import LONGEST_PAUSE_SECONDS

Words = tuple[str, ...]

_DEFAULT_WAIT_SECONDS = 1.0

_CUT_OFF = "the response is truncated or not JSON"
#: A gateway's own timeout: 504 after a minute was seen on page 1 (docs/marketplace-api.md, "Response times").
_TIMED_OUT = {504, 524}
_NOT_WRONG = {408, 425}  # 4xx that ask for a retry
_RATE_LIMIT = re.compile(r"(?i)rate limit exceeded|too many requests")
_AGAIN = "It is retried; if it persists, check the marketplace's status"


def results_of(status: int, headers: Mapping[str, str], body: bytes) -> object:
    """The `results` of a successful response.

    Raises RateLimited, AccessRefused, RequestRefused, or ApiUnavailable for a response that cannot be trusted. Their
    `why` may quote the marketplace's messages, so it must be redacted.
    """
    content, defect = _content(body)
    is_good = 200 <= status < 300 and content.get("isError") is False
    words = () if is_good else words_in(content)
    if problem := _refusal(status, headers, words, has_frame="isError" in content):
        raise problem
    if defect:
        tries = SLOW_TRIES if defect == _CUT_OFF else PAGE_TRIES
        why, wait = f"HTTP {status}", _retry_after(headers)
        raise ApiUnavailable(defect, why=why, remedy=_AGAIN, wait_seconds=wait, page_tries=tries)
    if content.get("isError") is not False:
        raise _not_good(content, status, words)
    if "results" not in content:
        raise ApiUnavailable("the response has no results", why=f"HTTP {status}", remedy=_AGAIN)
    return content["results"]


def _content(body: bytes) -> tuple[dict[str, object], str]:
    """The response's JSON object, and a message if it is not one."""
    start = body[:200].lstrip().lower()
    try:
        content = json_text.parse_answer(body)
    except RecursionError:
        return {}, "the response is nested too deep to be read"
    except ValueError:
        if start.startswith(b"<"):
            return {}, "the response is a web page, not JSON"
        return {}, _CUT_OFF if start else "the response is empty"
    if not isinstance(content, dict):
        return {}, "the response is JSON, but not an object"
    return content, ""


def _refusal(status: int, headers: Mapping[str, str], words: Words, *, has_frame: bool) -> PipelineError | None:
    """The error indicated by the HTTP status or the messages; None if neither indicates one."""
    why = ", ".join([f"HTTP {status}", *filter(None, ["; ".join(words)])])
    asked = _retry_after(headers)
    if status == 429 or any(map(_RATE_LIMIT.search, words)):
        wait = _DEFAULT_WAIT_SECONDS if asked is None else asked
        remedy = "It is retried more slowly; if other software uses the account, set EMAG_SYNC_RATE_SHARE"
        return RateLimited("the rate limit is exceeded", why=why, remedy=remedy, wait_seconds=wait)
    if 300 <= status < 400:
        return _redirect(status, headers)
    if status >= 500:
        tries = SLOW_TRIES if status in _TIMED_OUT else PAGE_TRIES
        return ApiUnavailable("the marketplace fails", why=why, remedy=_AGAIN, wait_seconds=asked, page_tries=tries)
    if access := access_refused(status, why, words):
        return access
    if 400 <= status < 500 and status not in _NOT_WRONG and (has_frame or (words and status in BAD_REQUEST)):
        return request_refused(status, why, words)
    if not 200 <= status < 300:
        remedy = "Check the account's base URL" if status == 404 else _AGAIN
        what = "the response does not come from the marketplace"
        return ApiUnavailable(what, why=why, remedy=remedy, wait_seconds=asked)
    return None


def _not_good(content: Mapping[str, object], status: int, words: Words) -> PipelineError:
    """The error of a response with a good HTTP status but without `isError: false`."""
    if content.get("isError") is not True:
        flag = f"isError is {json_text.shown(content['isError'])}" if "isError" in content else "isError is missing"
        why = ", ".join([f"HTTP {status}", flag, *words])
        return ApiUnavailable("the response has no valid isError flag", why=why, remedy=_AGAIN)
    why = f"HTTP {status}, isError is true, {'; '.join(words) or 'no message'}"
    if is_wrong_call(words):
        return request_refused(status, why, words)
    return ApiUnavailable("the marketplace reports an error", why=why, remedy=_AGAIN)


def _redirect(status: int, headers: Mapping[str, str]) -> PipelineError:
    host = urlsplit(headers.get("Location", "")).hostname
    why = f"HTTP {status} to {host}" if host else f"HTTP {status}"
    what = "the marketplace redirects, but credentials are not sent to another address"
    if status in (301, 308):
        return RequestRefused(what, why=why, remedy="Correct the account's base URL")
    return ApiUnavailable(what, why=why, remedy="It is retried; if it persists, check the account's base URL")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by the Retry-After header, a number or a date; at most LONGEST_PAUSE_SECONDS."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]+)?", text):
        return min(float(text), LONGEST_PAUSE_SECONDS)
    until = _date(text)
    return None if until is None else min(max((until - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_PAUSE_SECONDS)


# Refusals are recognised by their messages, not by the HTTP status.
#
# The same message comes with HTTP 200, 400, 401 or 403, depending on which of the marketplace's servers responds. A
# retry helps with none of these refusals. Source: docs/marketplace-api.md, "Errors and refusals".

#: Statuses with which the marketplace refuses a call's content, even if the response has no `isError`.
BAD_REQUEST = frozenset({400, 422})

_ADDRESS = re.compile(
    r"(?i)white-?\s?list|\binvalid\b.{0,20}\bip\b|\bip\b.{0,60}\b(?:not|allowed|denied|blocked|invalid|unknown)\b"
)
_CREDENTIALS = re.compile(
    r"(?i)\b(?:invalid|wrong|bad|incorrect|missing|unknown)\b.{0,30}\b(?:user ?name|user|password|credentials?|login)\b"
    r"|\bauthentication (?:failed|error|required)\b"
)
_ACCESS = re.compile(
    r"(?i)\bnot allowed to use\b|\bunauthori[sz]ed\b|\bnot authori[sz]ed\b|\bauthentication\b|\bforbidden\b"
    r"|\b(?:access|permission) (?:is )?denied\b|\bno (?:api )?(?:rights?|access|permission)\b"
)
_IP = re.compile(r"(?<!\w)[0-9A-Fa-f:.]{3,45}(?!\w)")
#: Messages that only a bug in this software can cause, since it has built the request.
_WRONG_CALL = re.compile(
    r"(?i)maximum input vars|\bmandatory\b.{0,40}\bmissing\b|\bmissing\b.{0,40}\b(?:mandatory|key|parameter|field)\b"
    r"|\bmust be (?:an?|between|one of|greater|less|at least|at most|in)\b"
    r"|\bis not an? (?:valid )?(?:integer|number|array|object|string)\b"
    r"|\blimited to maximum\b|\binvalid (?:json|content|format|parameter|request)\b"
)
_DEFECT_STATUSES = frozenset({405, 406, 411, 413, 414, 415, 431})

#: The keys of an object that hold messages, and the maximum depth of the search.
_TEXT_KEYS = ("message", "text", "error", "description", "detail", "messages", "errors")
_DEEPEST = 10

#: For an account without credentials, named only by EMAG_ACCOUNTS, whose user the sandbox does not know.
NOT_OF_SANDBOX = "Correct EMAG_ACCOUNTS, or start the sandbox with this account: the running one does not have it"
#: `with_variables` adds the variables to this phrase.
_LOGIN = "the account's user name and password"
_API_RIGHTS = "check that the user has API rights"
_WHITELIST = "to the whitelist in the seller's marketplace account"
_THIS_ADDRESS = "this machine's public IP address"


def is_unknown_user(headers: Mapping[str, str]) -> bool:
    """Whether a sandbox says that it has no account with this user name, unlike a refusal that a fault provokes."""
    return headers.get("X-Sandbox-User") == "unknown"


def words_in(content: Mapping[str, object]) -> Words:
    """The texts in a response's `messages`, `message`, `errors` and `error` (possibly nested), each once."""
    parts = [content.get(name) for name in ("messages", "message", "errors", "error")]
    return tuple(dict.fromkeys(text for part in parts for text in _texts(part)))


def access_refused(status: int, why: str, words: Words) -> AccessRefused | None:
    """The error if the messages, or a plain 401 or 403, refuse the caller itself; otherwise None."""
    said = "; ".join(words)
    if _ADDRESS.search(said):
        address = _address_in(said) or _THIS_ADDRESS
        remedy = f"Add {address} {_WHITELIST}"
        return AccessRefused("the marketplace refuses this machine's address", why=why, remedy=remedy)
    if _CREDENTIALS.search(said):
        remedy = f"Correct {_LOGIN}, and {_API_RIGHTS}"
        return AccessRefused("the marketplace refuses the credentials", why=why, remedy=remedy)
    if status in (401, 403) or _ACCESS.search(said):
        remedy = f"Check {_LOGIN}, {_API_RIGHTS}, and add {_THIS_ADDRESS} {_WHITELIST}"
        return AccessRefused("the marketplace refuses access", why=why, remedy=remedy)
    return None


def is_wrong_call(words: Words) -> bool:
    """Whether the messages blame the request itself, so that the same request cannot succeed."""
    return any(map(_WRONG_CALL.search, words))


def request_refused(status: int, why: str, words: Words) -> RequestRefused:
    """The error of a call that was refused, but not because of the caller's credentials or address."""
    if is_wrong_call(words) or status in _DEFECT_STATUSES:
        remedy = "This is a bug in the pipeline or a change of the API: report it with this line"
    elif status == 404:
        remedy = "Check the account's base URL"
    elif words:
        remedy = "Correct what the message names in the seller's marketplace account, or ask eMAG's API support"
    else:
        remedy = "The marketplace gives no reason: send the time of this call to eMAG's API support"
    return RequestRefused("the marketplace refuses the request", why=why, remedy=remedy)


def with_variables(remedy: str, variables: Sequence[str]) -> str:
    """A remedy that names the environment variables of the account's user name and password."""
    return remedy.replace(_LOGIN, f"{_LOGIN} ({' and '.join(variables)})")


def _address_in(said: str) -> str | None:
    """The first IPv4 or IPv6 address in a text, with or without brackets."""
    for found in _IP.finditer(said):
        address = found[0].rstrip(".")
        with suppress(ValueError):
            if not ip_address(address).is_unspecified:
                return address
    return None


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """All texts in a JSON value; for objects those under `_TEXT_KEYS`, prefixed with the field they refer to."""
    if isinstance(value, str) and value.strip():
        yield " ".join(value.split()).rstrip(".")
    elif isinstance(value, list) and depth < _DEEPEST:
        for item in value:
            yield from _texts(item, depth + 1)
    elif isinstance(value, dict) and depth < _DEEPEST:
        parts = [value[key] for key in _TEXT_KEYS if value.get(key)] or list(value.values())
        field = value.get("field")
        about = f"{field}: " if isinstance(field, str) and field.strip() else ""
        for item in parts:
            yield from (about + text for text in _texts(item, depth + 1))


# Information in the response headers: how much of the rate limit is left, and the server's clock.


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    """Fields are None if the header is missing. The limit's window is poorly documented, so it is only a hint.

    Source: docs/marketplace-api.md, "Rate limits".
    """

    limit: int | None
    remaining: int | None
    #: time of the response by the server's clock, to the second
    dated: datetime | None


def response_headers(headers: Mapping[str, str]) -> ResponseHeaders:
    """Read them from the headers of a response; invalid values count as missing."""
    return ResponseHeaders(
        limit=_whole(headers.get("X-RateLimit-Limit-3second", "")),
        remaining=_whole(headers.get("X-RateLimit-Remaining-3second", "")),
        dated=_date(headers.get("Date", "")),
    )


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _date(text: str) -> datetime | None:
    try:
        dated = parsedate_to_datetime(text)
    except ValueError:
        return None
    return dated if dated.tzinfo else dated.replace(tzinfo=UTC)
