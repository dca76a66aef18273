"""What answers held that the code does not know or cannot read (emag_answer_surprises)."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from emag_pipeline.db.engine import Database
from emag_pipeline.db.transaction import Transaction

#: Rows that an account may have for one resource; what is beyond is added up under the field '…'.
MOST = 200

_NOTE = """
    WITH given AS (
        SELECT place, g.item ->> 0 AS field, g.item ->> 1 AS kind, g.item ->> 2 AS sample,
               (g.item ->> 3)::bigint AS times
        FROM jsonb_array_elements(CAST(:given AS jsonb)) WITH ORDINALITY AS g (item, place)
    ), known AS (
        SELECT field, kind FROM emag_answer_surprises
        WHERE account_type = :account AND resource = :resource AND field <> '…'
    ), judged AS (
        SELECT given.*, known.field IS NOT NULL AS is_known
        FROM given LEFT JOIN known USING (field, kind)
    ), placed AS (
        SELECT place, kind, sample, times,
               CASE WHEN is_known OR row_number() OVER (PARTITION BY is_known ORDER BY place)
                                     <= :most - (SELECT count(*) FROM known)
                    THEN field ELSE '…' END AS field
        FROM judged
    )
    INSERT INTO emag_answer_surprises AS s (account_type, resource, field, kind, times, sample)
    SELECT :account, :resource, field, kind, sum(times), (array_agg(sample ORDER BY place))[1]
    FROM placed
    GROUP BY field, kind
    ON CONFLICT (account_type, resource, field, kind) DO UPDATE SET
        times = s.times + excluded.times, last_seen_at = now(), sample = coalesce(s.sample, excluded.sample)
"""


class Surprising(Protocol):
    """Something in an answer that the code does not know or cannot read, and how often."""

    @property
    def field(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def sample(self) -> str | None: ...
    @property
    def times(self) -> int: ...


def note(tx: Transaction, account: str, resource: str, surprises: Iterable[Surprising]) -> None:
    """Add surprises up, within the caller's transaction; at most one write for any number of them."""
    times: Counter[tuple[str, str]] = Counter()
    samples: dict[tuple[str, str], str | None] = {}
    for one in surprises:
        times[one.field, one.kind] += one.times
        samples.setdefault((one.field, one.kind), one.sample)
    if times:
        given = [(*key, samples[key], number) for key, number in times.items()]
        tx.run(_NOTE, account=account, resource=resource, given=json.dumps(given), most=MOST)


def keep(database: Database, account: str, resource: str, surprises: Iterable[Surprising]) -> None:
    """The same in a transaction of its own."""
    with database.transaction(timeout_seconds=30) as tx:
        note(tx, account, resource, surprises)
