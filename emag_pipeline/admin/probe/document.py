"""A probe's file: what it tells, and nothing else."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from emag_pipeline.admin.probe import verdicts
from emag_pipeline.admin.probe.questions import ProbeAnswers, Question, rows_of
from emag_pipeline.admin.probe.shapes import Shapes
from emag_pipeline.errors import PipelineError
from emag_pipeline.marketplace import RawAnswer
from emag_pipeline.marketplace.normalise import FIELDS
from emag_pipeline.settings.accounts import Account
from emag_pipeline.settings.redaction import redact, secrets_of

# The marketplace's own words in a form that can be shown to anybody.

_LONGEST = 300
_REPLACED = (
    (re.compile(r"^HTTP \d{3}(?:, |$)"), ""),  # the status is told beside it
    (re.compile(r"\"[^\"]*\"|'[^']*'|„[^”]*”|“[^”]*”|«[^»]*»"), "[…]"),
    (re.compile(r"\w+://\S+"), "[address]"),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)"), "[IP address]"),
    (re.compile(r"(?i)(?<!\w)(?:[0-9a-f]{0,4}:){2,}[0-9a-f.:]*(?!\w)"), "[IP address]"),
    (re.compile(r"(?i)\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b"), "[host]"),
    (re.compile(r"\d[\d .,]*\d\d|\d+[.,]\d+"), "[number]"),
)


def shareable(text: str, account: Account) -> str:
    """The text without the account's login, addresses, hosts, quotations, and numbers of three digits or more."""
    user = account.username.partition("@")[0]
    host = urlsplit(account.base_url).hostname or ""
    text = redact(text, secrets_of(account) | {account.username}, _LONGEST)
    for one in filter(None, (user, host)):
        text = re.sub(rf"(?i)(?<!\w){re.escape(one)}(?!\w)", "[…]", text)
    for pattern, instead in _REPLACED:
        text = pattern.sub(instead, text)
    return text


def described(error: PipelineError, account: Account) -> dict[str, str]:
    """The error's class, what it means, and what the marketplace said."""
    return {
        "error": error.error_class,
        "what": shareable(error.what, account),
        "words": shareable(error.why, account),
    }


#: is raised when a reader of the file must know that something has changed its meaning
FORMAT = 1

_QUOTA = re.compile(r"(?i)[a-z0-9-]{0,40}(?:rate-?limit|quota|retry-after)[a-z0-9-]{0,40}")
_CONTENT_TYPE = re.compile(r"[a-z]{1,20}/[a-z+.-]{1,30}(?:; ?charset=[\w-]{1,20})?", re.IGNORECASE)


def document(account: Account, answers: ProbeAnswers) -> dict[str, Any]:
    """The whole file as JSON."""
    errors = answers.errors
    return {
        "format": FORMAT,
        "program": f"emag-pipeline {version('emag-pipeline')}",
        "date": datetime.now(UTC).date().isoformat(),
        "marketplace": account.marketplace.name if account.marketplace.currency else "another",
        "refused": described(errors[0], account) if errors else None,
        "calls": [_call(question, answer, account) for question, answer in answers.given],
        "parameters": verdicts.parameters(answers),
        "order": verdicts.order(answers),
        "unknown_fields": _unknown(answers),
        "frame": _shapes(_frames(answers)),
        "count": _shapes(_counts(answers)),
        "offers": _shapes(answers.sample, FIELDS),
        "offer_by_id": _shapes(answers.rows("by_id") or (), FIELDS),
    }


def _call(question: Question, answer: RawAnswer, account: Account) -> dict[str, Any]:
    rows = rows_of(answer.results) if question.resource.endswith("/read") else None
    content_type = answer.headers.get("Content-Type", "")
    return {
        "what": question.what,
        "resource": question.resource,
        "status": answer.status,
        "milliseconds": round(answer.seconds * 1000),
        "bytes": answer.bytes,
        "content_type": content_type if _CONTENT_TYPE.fullmatch(content_type) else None,
        "quota": {name: _whole(text) for name, text in answer.headers.items() if _QUOTA.fullmatch(name)},
        "clock_ahead_seconds": _ahead(answer),
        "rows": None if rows is None else len(rows),
        "error": described(answer.error, account) if answer.error else None,
    }


def _whole(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _ahead(answer: RawAnswer) -> int | None:
    """By how many seconds the marketplace's clock is ahead of this machine's."""
    try:
        dated = parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return None
    return round((dated.replace(tzinfo=dated.tzinfo or UTC) - answer.ended_at).total_seconds())


def _unknown(answers: ProbeAnswers) -> list[str]:
    found = _met((*answers.sample, *(answers.rows("by_id") or ())), FIELDS)
    return sorted(found.parts.keys() - FIELDS)


def _frames(answers: ProbeAnswers) -> list[object]:
    """What stands around the results; of a refusal without the words, which are told elsewhere."""
    contents = [answer.content for _, answer in answers.given]
    return [
        {name: part for name, part in one.items() if name != "results"} for one in contents if isinstance(one, dict)
    ]


def _counts(answers: ProbeAnswers) -> list[object]:
    found = (answers.of(name) for name in ("split_count", "lone_count"))
    return [pair[1].results for pair in found if pair and pair[1].error is None]


def _shapes(values: Iterable[object], known: frozenset[str] = frozenset()) -> dict[str, Any] | None:
    found = _met(values, known)
    if not found.met:
        return None
    return {"rows": found.met, "types": dict(found.types), "fields": dict(found.described())}


def _met(values: Iterable[object], known: frozenset[str]) -> Shapes:
    found = Shapes()
    for value in values:
        found.meet(dict(value) if isinstance(value, Mapping) else value)
    found.settle(known)
    return found
