"""Pruning: what has served its time is removed, in small transactions that stand in nobody's way.

Rows are locked and deleted a batch at a time; those that somebody else has locked wait for the next day. What a
running or resumable sync, a decision that a person has still to make, or a look at the last success needs is kept
whatever its age. History and counters are never touched.
"""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from emag_pipeline.store.engine import Database
from emag_pipeline.sync import staging_room

#: The vendor asks for keeping every call for so long (docs/marketplace-api.md, "Calls and responses"), so a shorter
#: time is not granted.
REQUESTS_DAYS = 30.0

_BATCH = 5_000
#: For one batch; finding that nothing is left may read a whole table.
_TIMEOUT_SECONDS = 300.0

#: Syncs whose ledger row stays: running ones, young ones, each account's newest (which alone can be resumed or
#: approved), each account's newest success.
_KEPT = """
    SELECT s.sync_id FROM emag_offer_syncs s
    JOIN (SELECT account_type, max(sync_number) AS newest,
                 max(completed_at) FILTER (WHERE status = 'completed') AS published_last
          FROM emag_offer_syncs GROUP BY account_type) a USING (account_type)
    WHERE s.status = 'running' OR s.heartbeat_at >= now() - :days * interval '1 day'
       OR s.sync_number = a.newest OR (s.status = 'completed' AND s.completed_at = a.published_last)
"""

#: Why an offer is flagged at present: its newest reject, however old.
_REASONS = """
    SELECT max(r.reject_id) FROM emag_offer_rejects r
    JOIN emag_product_offers o USING (account_type, emag_offer_id)
    WHERE o.rejected_at IS NOT NULL AND o.deleted_at IS NULL
    GROUP BY account_type, emag_offer_id
"""

#: Syncs whose staging may still be published: running ones, and each account's newest that ended while it has time
#: left or waits for approval. `sync_number` orders them as `lease.take_lease` does.
_STAGED = """
    SELECT s.sync_id FROM emag_offer_syncs s
    JOIN (SELECT account_type, max(sync_number) AS ended_last FROM emag_offer_syncs
          WHERE status <> 'running' GROUP BY account_type) a USING (account_type)
    WHERE s.sync_number = a.ended_last AND s.discarded_at IS NULL
      AND (s.deadline_at > now() OR s.error_class = 'RefusedError')
    UNION ALL
    SELECT sync_id FROM emag_offer_syncs WHERE status = 'running'
"""

#: Syncs whose changes are still told: each account's newest, and running ones.
_CHANGES = """
    SELECT s.sync_id FROM emag_offer_syncs s
    WHERE s.status = 'running' OR s.sync_number = (
        SELECT max(n.sync_number) FROM emag_offer_syncs n
        WHERE n.account_type = s.account_type AND n.status <> 'running')
"""


@dataclass(frozen=True, slots=True)
class _Remains:
    """Rows `t` of a table that have served their time, by a condition on them and on :days.

    They are deleted, or where `emptied` has assignments, only these are made.
    """

    table: str
    condition: str
    least_days: float = 0.0
    emptied: str = ""


_REJECTS = f"t.sync_id NOT IN ({_KEPT}) AND t.reject_id NOT IN ({_REASONS})"

#: By the name under which they are reported.
_BY_AGE = {
    "syncs": _Remains("emag_offer_syncs", f"t.sync_id NOT IN ({_KEPT})"),
    "rejects": _Remains("emag_offer_rejects", _REJECTS),
    # rows as read may hold personal data: where the reason stays longer, they do not (docs/privacy.md)
    "payloads": _Remains(
        "emag_offer_rejects",
        f"t.rejected_at < now() - :days * interval '1 day' AND t.payload <> 'null' AND NOT ({_REJECTS})",
        emptied="payload = 'null'",
    ),
    "surprises": _Remains("emag_answer_surprises", "t.last_seen_at < now() - :days * interval '1 day'"),
    "requests": _Remains("emag_requests", "t.sent_at < now() - :days * interval '1 day'", REQUESTS_DAYS),
    # a day of an account that does not agree is told until it does
    "check_results": _Remains(
        "emag_check_results", "t.checked_at < now() - :days * interval '1 day' AND (t.passed OR t.part = '')"
    ),
    "incidents": _Remains("emag_incidents", "t.closed_at < now() - :days * interval '1 day'"),
}


def prune(database: Database, days: float, *, dry_run: bool = False) -> dict[str, int]:
    """Remove what is older than so many days. Returns the rows removed, or with `dry_run` those that would be.

    By name: `syncs` (ledger rows), `rejects` (rows in quarantine whose sync is gone), `payloads` (as read, of those
    that stay), `surprises` (not met again), `requests` (calls; never younger than REQUESTS_DAYS), `check_results` (not
    asked again, as of an account that left), `incidents` (closed ones), `staged_rows` (of syncs that can no longer go
    on, of any age). Begun again after a failure, it goes on. Raises DatabaseUnavailable.
    """
    act = _count if dry_run else _remove
    found = {name: act(database, what, days=max(days, what.least_days)) for name, what in _BY_AGE.items()}
    return {**found, "staged_rows": _prune_staging(database, dry_run=dry_run)}


def _count(database: Database, what: _Remains, **values: float) -> int:
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        counted = f"SELECT count(*) FROM {what.table} t WHERE {what.condition}"
        return int(tx.run(counted, **values).scalar_one())


def _remove(database: Database, what: _Remains, **values: float) -> int:
    removed, table = 0, f"{what.table}"
    change = f"UPDATE {table} SET {what.emptied}" if what.emptied else f"DELETE FROM {table}"
    while True:
        with database.transaction(timeout_seconds=_TIMEOUT_SECONDS, durable=False) as tx:
            batch = tx.run(
                f"""{change} WHERE ctid = ANY(ARRAY(
                        SELECT t.ctid FROM {table} t WHERE {what.condition}
                        LIMIT :batch FOR UPDATE OF t SKIP LOCKED))""",
                batch=_BATCH,
                **values,
            ).rowcount
        removed += batch
        if batch < _BATCH:
            return removed


def _prune_staging(database: Database, *, dry_run: bool) -> int:
    """Give back what no sync needs any more, also of syncs that the ledger does not know. Returns how many rows."""
    going, told = _staging_remains(database)
    rows = 0
    for account in going.keys() | told.keys():
        for table in staging_room.TABLES:
            syncs = told[account] if table == staging_room.CHANGES else going[account]
            rows += _count_staged(database, table, account, syncs)
        if told[account] and not dry_run:
            staging_room.delete(database, staging_room.CHANGES, account, told[account])
        if going[account] and not dry_run:
            staging_room.empty(database, account, going[account], keeps_changes=True)
    return rows


def _staging_remains(database: Database) -> tuple[dict[str, set[UUID]], dict[str, set[UUID]]]:
    """By account, the syncs of which nothing is needed but what they changed, and those of which not even that is.

    Offers are not asked: whoever looks through the largest table keeps it from being emptied at once meanwhile.
    """
    going: dict[str, set[UUID]] = defaultdict(set)
    told: dict[str, set[UUID]] = defaultdict(set)
    for table, needed, found in (
        ("emag_scan_pages", _STAGED, going),
        ("emag_scan_confirmations", _STAGED, going),
        (staging_room.CHANGES, _CHANGES, told),
    ):
        with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
            for row in tx.run(f"SELECT DISTINCT account_type, sync_id FROM {table} WHERE sync_id NOT IN ({needed})"):
                found[row.account_type].add(row.sync_id)
    return going, told


def _count_staged(database: Database, table: str, account: str, syncs: set[UUID]) -> int:
    sql = f"SELECT count(*) FROM {table} WHERE account_type = :account AND sync_id = ANY (:syncs)"
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        return int(tx.run(sql, account=account, syncs=list(syncs)).scalar_one()) if syncs else 0
