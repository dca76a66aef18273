"""Is an answer to be believed? Only `isError` with value false says yes.

Everything else is an error, sorted by whether a rerun can help. A redirect is never followed: a permanent one
(301, 308) says that the base URL is wrong, any other is a gateway's way to say "not now".
Source: docs/marketplace-api.md, "Calls and responses", "Errors and refusals".
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from emag_pipeline.api import json_text, refusals
from emag_pipeline.errors import PAGE_TRIES, SLOW_TRIES, ApiUnavailable, PipelineError, RateLimited, RequestRefused
from emag_pipeline.rates import LONGEST_PAUSE_SECONDS

_DEFAULT_WAIT_SECONDS = 1.0

_CUT_OFF = "the answer is cut off or no JSON"
#: A gateway's own patience: 504 after a minute was seen on page 1 (docs/marketplace-api.md, "Response times").
_TIMED_OUT = {504, 524}
_NOT_WRONG = {408, 425}  # 4xx that say "again, please"
_RATE_LIMIT = re.compile(r"(?i)rate limit exceeded|too many requests")
_AGAIN = "It is tried again; if it persists, look at the marketplace's status"


def results_of(status: int, headers: Mapping[str, str], body: bytes) -> object:
    """The `results` of a good answer.

    Raises RateLimited, AccessRefused, RequestRefused, or ApiUnavailable for a response that cannot be trusted. Their
    `why` may quote the marketplace's own messages: redact it.
    """
    content, defect = _content(body)
    is_good = 200 <= status < 300 and content.get("isError") is False
    words = () if is_good else refusals.words_in(content)
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
    """The answer's object, and in words what is wrong with it if it is none."""
    start = body[:200].lstrip().lower()
    try:
        content = json_text.parse_answer(body)
    except RecursionError:
        return {}, "the answer is nested too deep to be read"
    except ValueError:
        if start.startswith(b"<"):
            return {}, "the answer is a web page, not JSON"
        return {}, _CUT_OFF if start else "the answer is empty"
    if not isinstance(content, dict):
        return {}, "the answer is JSON, but no object"
    return content, ""


def _refusal(
    status: int, headers: Mapping[str, str], words: refusals.Words, *, has_frame: bool
) -> PipelineError | None:
    """The error that the HTTP status or the words stand for; None when neither tells."""
    why = ", ".join([f"HTTP {status}", *filter(None, ["; ".join(words)])])
    asked = _retry_after(headers)
    if status == 429 or any(map(_RATE_LIMIT.search, words)):
        wait = _DEFAULT_WAIT_SECONDS if asked is None else asked
        remedy = "It is tried again more slowly; if other software uses the account, set EMAG_SYNC_RATE_SHARE"
        return RateLimited("the rate limit is exceeded", why=why, remedy=remedy, wait_seconds=wait)
    if 300 <= status < 400:
        return _redirect(status, headers)
    if status >= 500:
        tries = SLOW_TRIES if status in _TIMED_OUT else PAGE_TRIES
        return ApiUnavailable("the marketplace fails", why=why, remedy=_AGAIN, wait_seconds=asked, page_tries=tries)
    if access := refusals.access_refused(status, why, words):
        return access
    if 400 <= status < 500 and status not in _NOT_WRONG and (has_frame or (words and status in refusals.BAD_REQUEST)):
        return refusals.request_refused(status, why, words)
    if not 200 <= status < 300:
        remedy = "Check the account's base URL" if status == 404 else _AGAIN
        return ApiUnavailable("the answer is not the marketplace's own", why=why, remedy=remedy, wait_seconds=asked)
    return None


def _not_good(content: Mapping[str, object], status: int, words: refusals.Words) -> PipelineError:
    """The error of a response with a good HTTP status that does not say `isError: false`."""
    if content.get("isError") is not True:
        flag = f"isError is {json_text.shown(content['isError'])}" if "isError" in content else "isError is missing"
        why = ", ".join([f"HTTP {status}", flag, *words])
        return ApiUnavailable("the response has no valid isError flag", why=why, remedy=_AGAIN)
    why = f"HTTP {status}, isError is true, {'; '.join(words) or 'no message'}"
    if refusals.is_wrong_call(words):
        return refusals.request_refused(status, why, words)
    return ApiUnavailable("the marketplace reports an error", why=why, remedy=_AGAIN)


def _redirect(status: int, headers: Mapping[str, str]) -> PipelineError:
    host = urlsplit(headers.get("Location", "")).hostname
    why = f"HTTP {status} to {host}" if host else f"HTTP {status}"
    what = "the marketplace redirects, and credentials are sent nowhere else"
    if status in (301, 308):
        return RequestRefused(what, why=why, remedy="Correct the account's base URL")
    return ApiUnavailable(what, why=why, remedy="It is tried again; if it persists, check the account's base URL")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks to wait, as a number or until a date; at most LONGEST_PAUSE_SECONDS."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]+)?", text):
        return min(float(text), LONGEST_PAUSE_SECONDS)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_PAUSE_SECONDS)
