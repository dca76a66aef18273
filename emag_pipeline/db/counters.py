"""Counters that only grow (emag_counters): what metrics are made of; they survive restarts and retention."""

from collections.abc import Mapping
from typing import Any

import simplejson

from emag_pipeline.db.engine import Transaction

#: By how much to raise which counter, by name and labels.
Key = tuple[str, tuple[tuple[str, str], ...]]
Amounts = Mapping[Key, float]


def add(tx: Transaction, amounts: Amounts) -> None:
    """Raise counters, by (name, labels); in one order, so that two processes cannot deadlock."""
    rows: list[dict[str, Any]] = [
        {"name": name, "labels": simplejson.dumps(dict(labels), sort_keys=True), "amount": amount}
        for (name, labels), amount in sorted(amounts.items())
    ]
    tx.run_many(
        """INSERT INTO {schema}.emag_counters AS c (name, labels, value)
           VALUES (:name, CAST(:labels AS jsonb), :amount)
           ON CONFLICT (name, labels) DO UPDATE SET value = c.value + excluded.value""",
        rows,
    )
