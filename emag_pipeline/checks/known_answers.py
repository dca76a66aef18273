"""answers_are_as_known: whether the marketplace answers as this version of the pipeline expects."""

from typing import Any

from emag_pipeline.assets.tables import table
from emag_pipeline.checks.answers import Answer
from emag_pipeline.checks.offer_checks import ANSWERS_ARE_AS_KNOWN
from emag_pipeline.db.answer_review import review_answers
from emag_pipeline.db.deviations import is_accepted
from emag_pipeline.db.engine import Database


def known_answers(database: Database, account: str) -> Answer:
    """The answer of answers_are_as_known about the account; it passes while its findings are accepted."""
    found = review_answers(database, account)
    accepted = bool(found.fields) and is_accepted(database, account, ANSWERS_ARE_AS_KNOWN.name)
    findings = 0 if accepted else found.fields
    metadata: dict[str, Any] = {"findings": findings, "accepted": found.fields - findings}
    if found.fields:
        metadata["accepted_sample" if accepted else "sample"] = table(found.sample)
    return Answer(ANSWERS_ARE_AS_KNOWN, not findings, found.sentence + "; accepted" * accepted, metadata)
