"""A probe of a sandbox without its process: the same calls, at a pace that costs no time, and its file."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from emag_pipeline.admin.probe.probe import document
from emag_pipeline.admin.probe.questions import ProbeAnswers, questions
from emag_pipeline.marketplace import ProcessBudget, RawCalls
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings.accounts import Account, AccountName


def answers_of(sandbox: SandboxServer, account: Account | None = None) -> ProbeAnswers:
    """All questions asked, with their answers."""
    account = account or account_of(sandbox)
    answers = ProbeAnswers()
    with closing(RawCalls(account, ProcessBudget(1000, 60_000), record=lambda _: None, attempts=1)) as client:
        for question in questions(answers):
            answers.add(question, client.answer(question.resource, question.body))
            if answers.is_over:
                break
    return answers


def probed(sandbox: SandboxServer, account: Account | None = None) -> dict[str, Any]:
    """The file of a probe of the account `main`."""
    account = account or account_of(sandbox)
    return document(account, answers_of(sandbox, account))


def account_of(sandbox: SandboxServer) -> Account:
    return Account(AccountName("main"), sandbox.url, "main@sandbox.example", SecretStr("sandbox"))


def written(directory: Path, content: object) -> Path:
    """The content as a file."""
    file = directory / "probe.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file
