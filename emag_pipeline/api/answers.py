"""Is an answer to be believed? Only `isError` with value false says yes (emag-api.md, section 1).

Everything else is an error, sorted by whether a rerun can help. A redirect is never followed: a permanent one
(301, 308) says that the base URL is wrong, any other is a gateway's way to say "not now".
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from emag_pipeline.api import json_text
from emag_pipeline.errors import AccessRefused, ApiUnavailable, PipelineError, RateLimited, RequestRefused

#: Nobody waits longer because a header says so.
LONGEST_WAIT_SECONDS = 120.0
_DEFAULT_WAIT_SECONDS = 1.0

_NOT_WRONG = {408, 425}  # 4xx that say "again, please"
_RATE_LIMIT = re.compile(r"(?i)rate limit exceeded|too many requests")
_WHITELIST = re.compile(r"(?i)white-?\s?list|\bIP\b.{0,60}\b(?:not|allowed|denied|blocked)\b")
_CREDENTIALS = re.compile(
    r"(?i)\b(?:invalid|wrong|bad|incorrect|missing)\b.{0,30}\b(?:user ?name|user|password|credentials?|login)\b"
    r"|\bunauthori[sz]ed\b|\bauthentication\b|\bnot authori[sz]ed\b|\baccess denied\b|\bno api rights?\b"
)
_WRONG_CALL = re.compile(r"(?i)maximum input vars")

_AGAIN = "It is tried again; if it persists, look at the marketplace's status"
_DEFECT = "This is a defect in the pipeline or a change of the API: report it with this line"
_LOGIN = (
    "Correct the account's user name and password (EMAG_API_USERNAME and EMAG_API_PASSWORD, or EMAG_<ACCOUNT>_API_…), "
    "and see that the user has API rights"
)
_ADDRESS = "Add this machine's public IP address to the whitelist in the seller's marketplace account"


def results_of(status: int, headers: Mapping[str, str], body: bytes) -> object:
    """The `results` of a good answer.

    Raises RateLimited, AccessRefused, RequestRefused, or ApiUnavailable for whatever proves nothing. Their `why` may
    quote the marketplace's own messages: redact it.
    """
    content, defect = _content(body)
    said = "; ".join(_messages(content))
    if problem := _refusal(status, headers, said, has_frame="isError" in content):
        raise problem
    if defect:
        raise ApiUnavailable(defect, why=f"HTTP {status}", remedy=_AGAIN, wait_seconds=_retry_after(headers))
    if content.get("isError") is not False:
        raise _not_good(content, status, said)
    if "results" not in content:
        raise ApiUnavailable("the answer holds no results", why=f"HTTP {status}", remedy=_AGAIN)
    return content["results"]


def _content(body: bytes) -> tuple[dict[str, object], str]:
    """The answer's object, and in words what is wrong with it if it is none."""
    start = body[:200].lstrip().lower()
    try:
        content = json_text.parse(body)
    except RecursionError:
        return {}, "the answer is nested too deep to be read"
    except ValueError:
        if start.startswith(b"<"):
            return {}, "the answer is a web page, not JSON"
        return {}, "the answer is cut off or no JSON" if start else "the answer is empty"
    if not isinstance(content, dict):
        return {}, "the answer is JSON, but no object"
    return content, ""


def _refusal(status: int, headers: Mapping[str, str], said: str, *, has_frame: bool) -> PipelineError | None:
    """The error that the HTTP status or the messages stand for; None when neither tells."""
    why = f"HTTP {status}, {said}" if said else f"HTTP {status}"
    asked = _retry_after(headers)
    if status == 429 or _RATE_LIMIT.search(said):
        wait = _DEFAULT_WAIT_SECONDS if asked is None else asked
        remedy = "It is tried again more slowly; if other software uses the account, set EMAG_SYNC_RATE_SHARE"
        return RateLimited("the rate limit is exceeded", why=why, remedy=remedy, wait_seconds=wait)
    if 300 <= status < 400:
        return _redirect(status, headers)
    if status in (401, 403):
        return _access_refused(why, said)
    if status >= 500:
        return ApiUnavailable("the marketplace fails", why=why, remedy=_AGAIN, wait_seconds=asked)
    if 400 <= status < 500 and has_frame and status not in _NOT_WRONG:
        return _access_refused(why, said) if _is_about_access(said) else _wrong_call(why)
    if not 200 <= status < 300:
        remedy = "Check the account's base URL" if status == 404 else _AGAIN
        return ApiUnavailable("the answer is not the marketplace's own", why=why, remedy=remedy, wait_seconds=asked)
    return None


def _not_good(content: Mapping[str, object], status: int, said: str) -> PipelineError:
    """The error of an answer that came well and does not say `isError: false`."""
    if content.get("isError") is not True:
        flag = f"isError is {json_text.shown(content['isError'])}" if "isError" in content else "isError is missing"
        return ApiUnavailable("the answer proves nothing", why=f"HTTP {status}, {flag}", remedy=_AGAIN)
    why = f"HTTP {status}, isError is true, {said or 'without a message'}"
    if _is_about_access(said):
        return _access_refused(why, said)
    if _WRONG_CALL.search(said):
        return _wrong_call(why)
    return ApiUnavailable("the marketplace reports an error", why=why, remedy=_AGAIN)


def _is_about_access(said: str) -> bool:
    return bool(_CREDENTIALS.search(said) or _WHITELIST.search(said))


def _access_refused(why: str, said: str) -> AccessRefused:
    if _WHITELIST.search(said):
        return AccessRefused("the marketplace refuses this machine's address", why=why, remedy=_ADDRESS)
    return AccessRefused("the marketplace refuses the credentials", why=why, remedy=_LOGIN)


def _wrong_call(why: str) -> RequestRefused:
    return RequestRefused("the marketplace says that the call is wrong", why=why, remedy=_DEFECT)


def _redirect(status: int, headers: Mapping[str, str]) -> PipelineError:
    host = urlsplit(headers.get("Location", "")).hostname
    why = f"HTTP {status} to {host}" if host else f"HTTP {status}"
    what = "the marketplace redirects, and credentials are sent nowhere else"
    if status in (301, 308):
        return RequestRefused(what, why=why, remedy="Correct the account's base URL")
    return ApiUnavailable(what, why=why, remedy="It is tried again; if it persists, check the account's base URL")


def _messages(content: Mapping[str, object]) -> Iterator[str]:
    """What an answer that is not good says, from `messages` (any nesting) or `message`."""
    if content.get("isError") is not False:
        yield from _texts([content.get("messages"), content.get("message")])


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield " ".join(value.split()).rstrip(".")
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks to wait, as a number or until a date; at most LONGEST_WAIT_SECONDS."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]+)?", text):
        return min(float(text), LONGEST_WAIT_SECONDS)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_WAIT_SECONDS)
