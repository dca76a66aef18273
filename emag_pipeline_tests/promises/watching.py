"""What the database says of syncs under way, and locks that keep them from going on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from emag_pipeline.sandbox.client import SandboxFace
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.sync.syncs import rows


def newest(database: Database) -> Any:
    """The ledger row of the newest sync; None before the first."""
    found = rows(database, "SELECT * FROM emag_offer_syncs ORDER BY started_at DESC LIMIT 1")
    return found[0] if found else None


def durable_pages(database: Database) -> set[int]:
    """The staged pages of the newest sync."""
    return {page for page, _ in durable_windows(database)}


def durable_windows(database: Database) -> set[tuple[int, int]]:
    """Page and size of what the newest sync has staged."""
    staged = rows(
        database,
        """SELECT page, size FROM emag_scan_pages
           WHERE sync_id = (SELECT sync_id FROM emag_offer_syncs ORDER BY sync_number DESC LIMIT 1)""",
    )
    return {(row.page, row.size) for row in staged}


def windows_asked(market: SandboxFace) -> list[tuple[int, int]]:
    """Page and size of the reads of offers that `main` asked for, in order."""
    asked = (one for one in market.requests("main") if one["resource"] == "product_offer/read" and one["page"])
    return [(one["page"], one["items_per_page"]) for one in asked]


def pages_asked(market: SandboxFace) -> list[int]:
    """The pages of offers that `main` asked for, in order; reference data has pages too."""
    return [page for page, _ in windows_asked(market)]


def wait_for_pages(database: Database, number: int, seconds: float = 90) -> None:
    """Until the newest sync is under way and so many pages are durable, some perhaps behind a gap."""

    def reached() -> bool:
        row = newest(database)
        return row is not None and row.status == "running" and len(durable_windows(database)) >= number

    wait_until(reached, seconds, lambda: f"{newest(database)} {durable_windows(database)}")


def wait_for(database: Database, seconds: float = 30, **state: str) -> None:
    """Until the newest sync has this status, phase, …"""

    def reached() -> bool:
        row = newest(database)
        return row is not None and all(getattr(row, name) == value for name, value in state.items())

    wait_until(reached, seconds, lambda: str(newest(database)))


@contextmanager
def held_row(url: str, offer_id: int) -> Iterator[Any]:
    """Lock a published offer's row, so that a publish that changes it waits."""
    connection = psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql"))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM app.emag_product_offers WHERE emag_offer_id = %s FOR UPDATE", (offer_id,))
            assert cursor.fetchone()
        yield connection
    finally:
        connection.close()


_BLOCKED = """SELECT pid FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = 'emag_pipeline' AND wait_event_type = 'Lock'
                AND query ILIKE '%UPDATE%emag_product_offers%'"""


def blocked_backends(database: Database) -> list[int]:
    """The server processes whose publish waits for an offer's lock."""
    return [row.pid for row in rows(database, _BLOCKED)]


def wait_for_block(database: Database, seconds: float = 30) -> None:
    """Until a publish waits for an offer's lock."""
    wait_until(lambda: bool(blocked_backends(database)), seconds, lambda: str(newest(database)))


#: Everything that a sync may write for its account; the request log and the rate budget are nobody's lease's.
_WRITTEN = (
    "emag_offer_syncs", "emag_scan_pages", "emag_scan_offers", "emag_scan_confirmations", "emag_scan_changes",
    "emag_product_offers", "emag_products", "emag_offer_states", "emag_offer_rejects",
)  # fmt: skip


def versions(database: Database, *tables: str) -> dict[str, list[tuple[str, str]]]:
    """Place and transaction of every row of the tables; equal when nothing was written."""
    return {
        table: [
            (row.place, row.version)
            for row in rows(database, f"SELECT ctid::text AS place, xmin::text AS version FROM {table} ORDER BY ctid")
        ]
        for table in tables or _WRITTEN
    }
