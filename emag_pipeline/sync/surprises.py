"""What answers held that the code does not know or cannot read (emag_answer_surprises)."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emag_pipeline.model import Surprise
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import fragments, statements
from emag_pipeline.store.transaction import Transaction

#: Rows that an account may have for one resource; what is beyond is added up under the field '…'.
MOST = 200


def note(tx: Transaction, account: str, resource: str, surprises: Iterable[Surprise]) -> None:
    """Add surprises up, within the caller's transaction; at most one write for any number of them."""
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
    """The same in a transaction of its own."""
    with database.transaction(timeout_seconds=30) as tx:
        note(tx, account, resource, surprises)


# What the marketplace's answers held that the code does not know or cannot read, as operators are told of it.

#: Rows that are shown; they are counted in full.
SAMPLE = 20
#: Fields that a sentence names.
_NAMED = 3
#: The kinds of emag_answer_surprises, the gravest first, and what each says of a field.
KINDS = {
    "unexpected type": "has an unexpected type",
    "out of range": "is out of range",
    "unstorable text": "holds text that PostgreSQL cannot store",
    "unknown code": "holds an unknown code",
    "unknown field": "is an unknown field",
}

#: Of each of :accounts, its surprises `s` since its newest completed sync began.
RECENT = fragments("sync/surprises.sql")["recent"]


@dataclass(frozen=True, slots=True)
class AnswerReview:
    """How many fields were not as known, and a sample of at most SAMPLE rows of emag_answer_surprises."""

    fields: int
    sample: Sequence[Mapping[str, Any]]

    @property
    def sentence(self) -> str:
        """How many fields are meant, with the gravest ones, e.g. `2 fields of the answers are not as known: …`."""
        if not self.fields:
            return "every field of the answers is as known"
        counted = "1 field of the answers is" if self.fields == 1 else f"{self.fields:,} fields of the answers are"
        *first, last = [_words(one) for one in self.sample[:_NAMED]]
        others = self.fields - len(first) - 1
        if others:
            first, last = [*first, last], f"{others:,} more"
        return f"{counted} not as known: {' and '.join([one for one in (', '.join(first), last) if one])}"


def _words(row: Mapping[str, Any]) -> str:
    times = "once" if row["times"] == 1 else f"{row['times']:,} times"
    return f"{row['field']} of {row['resource']} {KINDS[row['kind']]} ({times})"


def review_answers(database: Database, account: str) -> AnswerReview:
    """What answers to the account held since its newest completed sync began; before the first one, ever."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(
            statements("sync/surprises.sql")["review"],
            accounts=[account],
            kinds=list(KINDS),
            most=SAMPLE,
        ).all()
    sample = [{name: value for name, value in row._mapping.items() if name != "fields"} for row in rows]
    return AnswerReview(rows[0].fields if rows else 0, sample)
