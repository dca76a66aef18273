"""Send the marketplace at most six calls, within the shared rate budget, and describe its responses as a file."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from emag_pipeline.admin.probe.questions import ProbeAnswers, Question, order, parameters, questions, rows_of
from emag_pipeline.admin.probe.shapes import Shapes
from emag_pipeline.errors import PipelineError
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.local.programs import sandbox_beside
from emag_pipeline.local.surroundings import databases, migrated, opened
from emag_pipeline.marketplace import RawAnswer, RawCalls, Timeouts
from emag_pipeline.marketplace.normalise import FIELDS
from emag_pipeline.model import RequestRecord
from emag_pipeline.settings import Settings
from emag_pipeline.settings.accounts import Account
from emag_pipeline.settings.redaction import redact, secrets_of
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import request_log
from emag_pipeline.sync.rate_budget import DatabaseBudget

#: A call that fails for a transient reason is repeated once.
_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Probed:
    """The file's content, and the first error if a call failed or was refused."""

    document: dict[str, Any]
    error: PipelineError | None


def probe(settings: Settings, account: Account, say: Callable[[str], None] = lambda _: None) -> Probed:
    """Query an account's marketplace and describe its responses without any value; `say` receives each call's purpose.

    All calls are recorded in the request log. A database or marketplace that is not configured is started for the
    duration. Raises DatabaseUnavailable, SchemaMismatch; an error of the marketplace is returned.
    """
    answers = ProbeAnswers()
    with _surroundings(settings) as database:
        calls: list[RequestRecord] = []
        with closing(_client(settings, account, database, calls.append)) as client:
            try:
                for question in questions(answers):
                    say(question.what)
                    answer = client.answer(
                        question.resource,
                        question.body,
                        page=question.page,
                        page_size=question.page_size,
                        offer_id=question.offer_id,
                    )
                    answers.add(question, answer)
                    if answers.is_over:
                        break
            finally:
                request_log.save(database, calls)
    return Probed(document(account, answers), next(iter(answers.errors), None))


def _client(
    settings: Settings, account: Account, database: Database, record: Callable[[RequestRecord], None]
) -> RawCalls:
    rates = (settings.requests_per_second, settings.requests_per_minute, settings.rate_share)
    timeouts = Timeouts(read_seconds=settings.silence_seconds, total_seconds=settings.call_seconds)
    budget = DatabaseBudget(database, *rates)
    return RawCalls(account, budget, record=record, timeouts=timeouts, attempts=_ATTEMPTS)


@contextmanager
def _surroundings(settings: Settings) -> Iterator[Database]:
    with ExitStack() as stack:
        if settings.uses_embedded_database:
            found = stack.enter_context(databases(settings))
            with opened(found, settings) as database:
                migrated(database)
        database = stack.enter_context(looked_into(settings))
        stack.enter_context(sandbox_beside(settings, os.environ))
        yield database


# The file. The marketplace's own words are made safe to share.

_LONGEST = 300
_REPLACED = (
    (re.compile(r"^HTTP \d{3}(?:, |$)"), ""),  # the status has a key of its own
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
    """The error's class, its meaning, and what the marketplace said."""
    return {
        "error": error.error_class,
        "what": shareable(error.what, account),
        "words": shareable(error.why, account),
    }


#: Raised when the meaning of something in the file changes.
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
        "parameters": parameters(answers),
        "order": order(answers),
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
    """The envelopes around the results; `document` describes errors by themselves."""
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
