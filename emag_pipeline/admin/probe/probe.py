"""Ask the marketplace some five calls, within the rate budget that all processes share, and describe the answers."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

from emag_pipeline.admin.probe.document import document
from emag_pipeline.admin.probe.questions import ProbeAnswers, questions
from emag_pipeline.errors import PipelineError
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.local.programs import sandbox_beside
from emag_pipeline.local.surroundings import databases, migrated, opened
from emag_pipeline.marketplace import RawCalls, RequestRecord, Timeouts
from emag_pipeline.settings import Settings
from emag_pipeline.settings.accounts import Account
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import request_log
from emag_pipeline.sync.rate_budget import DatabaseBudget

#: a call that fails for another reason than its content is repeated once
_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Probed:
    """The file's content, and the first error if a call failed or was refused."""

    document: dict[str, Any]
    error: PipelineError | None


def probe(settings: Settings, account: Account, say: Callable[[str], None] = lambda _: None) -> Probed:
    """Ask an account's marketplace, and describe what it answers without any value; `say` hears of each call.

    All calls are in the request log. What is configured nowhere (database, marketplace) is started for as long as it
    takes. Raises DatabaseUnavailable, SchemaMismatch; what the marketplace refuses is returned.
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
