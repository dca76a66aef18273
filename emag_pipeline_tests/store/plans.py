"""What each statement of a database reads, as the server's own `EXPLAIN (ANALYZE, BUFFERS)` tells it (auto_explain)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from emag_pipeline.store.engine import Database

#: Settings of a server that explains every statement to its client.
EXPLAINING = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "client_min_messages": "log",
}


@dataclass(frozen=True, slots=True)
class Explained:
    """A statement, and its plan with what each node of it read."""

    sql: str
    plan: dict[str, Any]

    @property
    def buffers(self) -> int:
        """Blocks of 8 kB that it read, from memory, disk or temporary files; new ones are among them."""
        return sum(self.plan.get(f"{kind} Blocks", 0) for kind in ("Shared Hit", "Shared Read", "Temp Read"))

    @property
    def rows(self) -> int:
        """Rows that its busiest node looked at; what is held in memory is read without a buffer."""
        return max(_rows(node) for node in _nodes(self.plan))

    def __str__(self) -> str:
        return f"{self.buffers:,} buffers, {self.rows:,} rows: {' '.join(self.sql.split())[:300]}"


def _rows(node: dict[str, Any]) -> int:
    seen = sum(node.get(name, 0) for name in ("Actual Rows", *_REMOVED))
    return round(node["Actual Loops"] * seen)


_REMOVED = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


class Statements:
    """Every statement of a database whose server has the settings EXPLAINING; made before its first connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: list[Explained] = []
        sa.event.listen(database.engine, "connect", self._listen)

    def _listen(self, connection: Any, _: object) -> None:
        connection.notices = self

    def append(self, notice: str) -> None:
        """psycopg2 calls this for each message of the server."""
        _, found, told = notice.partition("plan:\n")
        if found:
            document = json.loads(told)
            self._seen.append(Explained(document["Query Text"], document["Plan"]))

    @contextmanager
    def during(self) -> Iterator[list[Explained]]:
        """The statements that are executed within the block, for after it.

        psycopg2 tells a connection's messages with its next statement, so only a pool of one connection tells all.
        """
        found: list[Explained] = []
        self._seen.clear()
        yield found
        with self._database.transaction() as tx:
            tx.run("SELECT 1")
        found += self._seen
