"""Who waits for whom in the database: a table that somebody holds keeps a sync without a word from any error.

By PostgreSQL's own views (pg_locks, pg_stat_activity), without the text of any statement, which may hold values.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from emag_pipeline.db.engine import Database
from emag_pipeline.moments import iso

#: What does not wait longer is the usual way of things.
NOTABLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Wait:
    """A session that waits for a lock, and one that keeps it waiting. `table` is empty where it is no table or row."""

    process: int
    application: str
    seconds: float
    table: str
    holder: int
    holder_user: str
    holder_application: str
    #: since when its transaction lasts, and what it does; None where this user may not see it
    holder_since: datetime | None
    holder_state: str | None

    @property
    def held(self) -> str:
        """What is waited for and who has it, e.g. `emag_offers, held by process 7 (user ana, psql) since …`."""
        who = ", ".join(filter(None, (f"user {self.holder_user}", self.holder_application, self.holder_state)))
        since = f" since {iso(self.holder_since)}" if self.holder_since else ""
        return f"{self.table or 'a lock'}, held by the database's process {self.holder} ({who}){since}"

    @property
    def remedy(self) -> str:
        """What sets it free."""
        return f"End that transaction, or in `emag-pipeline psql`: SELECT pg_terminate_backend({self.holder})"


def waits(database: Database, longer_than_seconds: float, of: Collection[int] | None = None) -> list[Wait]:
    """Those of this database that have waited longer, the longest first; `of` these processes only, if given."""
    with database.transaction(timeout_seconds=5) as tx:
        rows = tx.run(
            """SELECT w.pid AS process, w.application_name AS application,
                      extract(epoch FROM clock_timestamp() - l.waitstart)::float8 AS seconds,
                      coalesce((SELECT c.relname FROM pg_class c WHERE c.oid = coalesce(l.relation,
                          (SELECT t.relation FROM pg_locks t WHERE t.pid = l.pid AND t.locktype = 'tuple' LIMIT 1))),
                          '') AS "table",
                      h.pid AS holder, coalesce(h.usename, '') AS holder_user,
                      coalesce(h.application_name, '') AS holder_application,
                      h.xact_start AS holder_since, h.state AS holder_state
               FROM pg_locks l
               JOIN pg_stat_activity w ON w.pid = l.pid
               CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS b(pid)
               JOIN pg_stat_activity h ON h.pid = b.pid
               WHERE NOT l.granted AND w.datname = current_database()
                 AND l.waitstart < clock_timestamp() - :bound * interval '1 second'
                 AND (CAST(:of AS int[]) IS NULL OR w.pid = ANY(CAST(:of AS int[])))
               ORDER BY l.waitstart, h.pid""",
            bound=longer_than_seconds,
            of=None if of is None else list(of),
        ).all()
    return [Wait(**row._mapping) for row in rows]
