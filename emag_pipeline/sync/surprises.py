"""Stores and reports surprises in responses: values the code does not know or cannot read (emag_answer_surprises)."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emag_pipeline.model import Surprise
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import fragments, statements
from emag_pipeline.store.transaction import Transaction

#: Maximum of rows per account and resource; further ones are summed under the field '…'.
MOST = 200


def note(tx: Transaction, account: str, resource: str, surprises: Iterable[Surprise]) -> None:
    """Sum and store surprises, within the caller's transaction, in at most one statement."""
    times: Counter[tuple[str, str]] = Counter()
    samples: dict[tuple[str, str], str | None] = {}
    for one in surprises:
        times[one.field, one.kind] += one.times
        samples.setdefault((one.field, one.kind), one.sample)
    if times:
        given = [(*key, samples[key], number) for key, number in times.items()]
        tx.run(
            statements("sync/surprises.sql")["note"],
            account=account,
            resource=resource,
            given=json.dumps(given),
            most=MOST,
        )


def keep(database: Database, account: str, resource: str, surprises: Iterable[Surprise]) -> None:
    """The same in its own transaction."""
    with database.transaction(timeout_seconds=30) as tx:
        note(tx, account, resource, surprises)


# The report for operators.

#: Maximum of rows in the sample; the count covers all.
SAMPLE = 20
#: Maximum of fields named in a sentence.
_NAMED = 3
#: The kinds of emag_answer_surprises, most serious first, with their wording.
KINDS = {
    "unexpected type": "has an unexpected type",
    "out of range": "is out of range",
    "unstorable text": "contains text that PostgreSQL cannot store",
    "unknown code": "has an unknown code",
    "unknown field": "is an unknown field",
}

#: For each of :accounts, its surprises `s` since its newest completed sync began.
RECENT = fragments("sync/surprises.sql")["recent"]


@dataclass(frozen=True, slots=True)
class AnswerReview:
    """The number of unexpected fields, and a sample of at most SAMPLE rows of emag_answer_surprises."""

    fields: int
    sample: Sequence[Mapping[str, Any]]

    @property
    def sentence(self) -> str:
        """The number of fields with the most serious ones, e.g. `2 fields of the responses are not as expected: …`."""
        if not self.fields:
            return "every field of the responses is as expected"
        counted = "1 field of the responses is" if self.fields == 1 else f"{self.fields:,} fields of the responses are"
        *first, last = [_words(one) for one in self.sample[:_NAMED]]
        others = self.fields - len(first) - 1
        if others:
            first, last = [*first, last], f"{others:,} more"
        return f"{counted} not as expected: {' and '.join([one for one in (', '.join(first), last) if one])}"


def _words(row: Mapping[str, Any]) -> str:
    times = "once" if row["times"] == 1 else f"{row['times']:,} times"
    return f"{row['field']} of {row['resource']} {KINDS[row['kind']]} ({times})"


def review_answers(database: Database, account: str) -> AnswerReview:
    """The surprises since the account's newest completed sync began, or all before its first."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(
            statements("sync/surprises.sql")["review"],
            accounts=[account],
            kinds=list(KINDS),
            most=SAMPLE,
        ).all()
    sample = [{name: value for name, value in row._mapping.items() if name != "fields"} for row in rows]
    return AnswerReview(rows[0].fields if rows else 0, sample)
