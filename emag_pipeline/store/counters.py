"""Counters that only grow (emag_counters): what metrics are made of; they survive restarts and retention."""

from collections.abc import Mapping
from typing import Any

import simplejson

from emag_pipeline.store.transaction import Transaction

#: By how much to raise which counter, by name and labels.
Key = tuple[str, tuple[tuple[str, str], ...]]
Amounts = Mapping[Key, float]

OFFERS_PROCESSED = "emag_sync_offers_processed_total"


def add_offers_processed(tx: Transaction, account: str, offers: int) -> None:
    """Take over what a ledger row has counted, before its count is reset or another row becomes the newest.

    The ledger counts the offers of each page in the row that a page changes anyway, so the counter costs no write
    of its own. The metric is this counter and the newest row's count together, see `monitoring.metrics`.
    """
    if offers:
        add(tx, {(OFFERS_PROCESSED, (("account_type", account),)): offers})


def add(tx: Transaction, amounts: Amounts) -> None:
    """Raise counters, by (name, labels); in one order, so that two processes cannot deadlock."""
    rows: list[dict[str, Any]] = [
        {"name": name, "labels": simplejson.dumps(dict(labels), sort_keys=True), "amount": amount}
        for (name, labels), amount in sorted(amounts.items())
    ]
    tx.run_many(
        """INSERT INTO emag_counters AS c (name, labels, value)
           VALUES (:name, CAST(:labels AS jsonb), :amount)
           ON CONFLICT (name, labels) DO UPDATE SET value = c.value + excluded.value""",
        rows,
    )
