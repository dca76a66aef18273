"""Pruning: removes data that is no longer needed, in small transactions that block no other session.

Rows are locked and deleted in batches; rows locked by others are left for the next day. Data needed by a running or
resumable sync, a pending decision of a person or the display of the last success is kept at any age. History and
counters are never removed.
"""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import filled, statements
from emag_pipeline.sync import staging_room

#: The vendor asks to keep every call for this long (docs/marketplace-api.md, "Calls and responses"): never shorter.
REQUESTS_DAYS = 30.0

_BATCH = 5_000
#: For one batch; the last one may read a whole table to find that nothing is left.
_TIMEOUT_SECONDS = 300.0

_SQL = statements("retention/prune.sql")
_KEPT, _STAGEABLE, _CHANGED = _SQL["kept_syncs"], _SQL["stageable_syncs"], _SQL["changed_syncs"]


@dataclass(frozen=True, slots=True)
class _Remains:
    """Rows `t` of a table that are no longer needed, by a condition on them and on :days.

    They are deleted, or only changed if `emptied` has assignments.
    """

    table: str
    condition: str
    least_days: float = 0.0
    emptied: str = ""


_REJECTS = f"t.sync_id NOT IN ({_KEPT}) AND t.reject_id NOT IN ({_SQL['kept_rejects']})"

#: By the name under which they are reported.
_BY_AGE = {
    "syncs": _Remains("emag_offer_syncs", f"t.sync_id NOT IN ({_KEPT})"),
    "rejects": _Remains("emag_offer_rejects", _REJECTS),
    # original rows may contain personal data, so they are removed earlier than the reason (docs/privacy.md)
    "payloads": _Remains(
        "emag_offer_rejects",
        f"t.rejected_at < now() - :days * interval '1 day' AND t.payload <> 'null' AND NOT ({_REJECTS})",
        emptied="payload = 'null'",
    ),
    "surprises": _Remains("emag_answer_surprises", "t.last_seen_at < now() - :days * interval '1 day'"),
    "requests": _Remains("emag_requests", "t.sent_at < now() - :days * interval '1 day'", REQUESTS_DAYS),
    # a failed day is reported until it passes
    "check_results": _Remains(
        "emag_check_results", "t.checked_at < now() - :days * interval '1 day' AND (t.passed OR t.part = '')"
    ),
    "incidents": _Remains("emag_incidents", "t.closed_at < now() - :days * interval '1 day'"),
}


def prune(database: Database, days: float, *, dry_run: bool = False) -> dict[str, int]:
    """Remove data older than this many days. Returns the number of rows removed, or to be removed with `dry_run`.

    By name: `syncs` (ledger rows), `rejects` (quarantined rows whose sync is gone), `payloads` (original rows of those
    that stay), `surprises` (not seen again), `requests` (calls; never younger than REQUESTS_DAYS), `check_results` (no
    longer renewed, e.g. of removed accounts), `incidents` (closed ones), `staged_rows` (of syncs that can no longer
    resume, at any age). After a failure it can be run again. Raises DatabaseUnavailable.
    """
    act = _count if dry_run else _remove
    found = {name: act(database, what, days=max(days, what.least_days)) for name, what in _BY_AGE.items()}
    return {**found, "staged_rows": _prune_staging(database, dry_run=dry_run)}


def _count(database: Database, what: _Remains, **values: float) -> int:
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        counted = f"SELECT count(*) FROM {what.table} t WHERE {what.condition}"
        return int(tx.run(counted, **values).scalar_one())


def _remove(database: Database, what: _Remains, **values: float) -> int:
    change = f"UPDATE {what.table} SET {what.emptied}" if what.emptied else f"DELETE FROM {what.table}"
    sql = filled(_SQL["batch"], {"change": change, "table": what.table, "condition": what.condition})
    removed = 0
    while True:
        with database.transaction(timeout_seconds=_TIMEOUT_SECONDS, durable=False) as tx:
            batch = tx.run(sql, batch=_BATCH, **values).rowcount
        removed += batch
        if batch < _BATCH:
            return removed


def _prune_staging(database: Database, *, dry_run: bool) -> int:
    """Remove staged rows that no sync needs, also of syncs that are not in the ledger. Returns how many rows."""
    going, unused = _staging_remains(database)
    rows = 0
    for account in going.keys() | unused.keys():
        for table in staging_room.TABLES:
            syncs = unused[account] if table == staging_room.CHANGES else going[account]
            rows += _count_staged(database, table, account, syncs)
        if unused[account] and not dry_run:
            staging_room.delete(database, staging_room.CHANGES, account, unused[account])
        if going[account] and not dry_run:
            staging_room.empty(database, account, going[account], keeps_changes=True)
    return rows


def _staging_remains(database: Database) -> tuple[dict[str, set[UUID]], dict[str, set[UUID]]]:
    """By account, the syncs of which only the changes are needed, and those of which not even the changes are.

    The staged offers are not queried: reading that largest table would prevent it from being truncated.
    """
    going: dict[str, set[UUID]] = defaultdict(set)
    unused: dict[str, set[UUID]] = defaultdict(set)
    for table, needed, found in (
        ("emag_scan_pages", _STAGEABLE, going),
        ("emag_scan_confirmations", _STAGEABLE, going),
        (staging_room.CHANGES, _CHANGED, unused),
    ):
        with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
            for row in tx.run(f"SELECT DISTINCT account_type, sync_id FROM {table} WHERE sync_id NOT IN ({needed})"):
                found[row.account_type].add(row.sync_id)
    return going, unused


def _count_staged(database: Database, table: str, account: str, syncs: set[UUID]) -> int:
    sql = f"SELECT count(*) FROM {table} WHERE account_type = :account AND sync_id = ANY (:syncs)"
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        return int(tx.run(sql, account=account, syncs=list(syncs)).scalar_one()) if syncs else 0
