"""Loading 50,000 offers, staged and published, against raw COPY of the same rows; and what a re-sync writes."""

import time
from collections.abc import Iterator, Sequence
from uuid import uuid4

from benchmarks.report import Outcome
from benchmarks.surroundings import fresh_database
from emag_pipeline.api import Page
from emag_pipeline.api.pages import page_of
from emag_pipeline.db import audit, ledger, publish, staging
from emag_pipeline.db.columns import STAGED, listed
from emag_pipeline.db.copy_text import line
from emag_pipeline.db.engine import Database
from emag_pipeline.db.staging import Reached, StagedWindow
from emag_pipeline.sandbox.catalogue.catalogue import Catalogue

_OFFERS = 50_000
_PAGE = 100


def measure() -> Iterator[Outcome]:
    """Three loads of one catalogue: raw, into an empty account, and again unchanged."""
    catalogue = Catalogue(1, "main", _OFFERS)
    pages = [page_of(n + 1, catalogue.offers(n * _PAGE, (n + 1) * _PAGE)) for n in range(_OFFERS // _PAGE)]
    with fresh_database() as url:
        database = Database(url)
        raw = _raw_copy(database, pages)
        first, first_wal = _sync(database, pages)
        again, again_wal = _sync(database, pages)
        database.close()
    yield Outcome(
        "load: 50,000 offers into an empty account, share of raw COPY",
        raw / first,
        ">= 0.6",
        f"raw {raw:.2f} s, staged and published {first:.2f} s, {first_wal:.0f} bytes of WAL a row",
    )
    yield Outcome(
        "load: the same offers again, unchanged, share of raw COPY",
        raw / again,
        "",
        f"{again:.2f} s",
    )
    yield Outcome("load: bytes of WAL a row of an unchanged re-sync", again_wal, "<= 2", f"{_OFFERS:,} rows")


def _raw_copy(database: Database, pages: Sequence[Page]) -> float:
    """Seconds to COPY ready text, a page at a time, into a logged table of the same columns without any index."""
    texts = ["".join(line([getattr(offer, name) for name in STAGED]) for offer in page.offers) for page in pages]
    with database.transaction() as tx:
        tx.run(f"CREATE TABLE {{schema}}.raw AS SELECT {listed(STAGED)} FROM {{schema}}.emag_scan_offers")
    began = time.monotonic()
    for text in texts:
        with database.transaction() as tx:
            tx.copy_in("COPY {schema}.raw FROM STDIN", text)
    seconds = time.monotonic() - began
    with database.transaction() as tx:
        tx.run("DROP TABLE {schema}.raw")
    return seconds


def _sync(database: Database, pages: Sequence[Page]) -> tuple[float, float]:
    """Seconds, and bytes of WAL a row, of staging all pages, counting them and publishing."""
    before = _wal(database)
    began = time.monotonic()
    lease = ledger.begin(
        database,
        "main",
        str(uuid4()),
        timeout_hours=1,
        heartbeat_timeout_seconds=60,
        run_has_ended=lambda _: True,
    )
    staging.discard_remains(database, "main", keep=lease.sync_id)
    staging.plan(database, lease, pages=len(pages), offers=_OFFERS)
    for number, page in enumerate(pages, 1):
        window = StagedWindow(page, number, 1, (), page.rejects)
        staging.stage_windows(database, lease, [window], Reached(number, len(pages), number * _PAGE))
    audit.accept(database, lease, audit.figures(database, lease.sync_id).as_proof())
    publish.publish(database, lease)
    return time.monotonic() - began, float(_wal(database) - before) / _OFFERS


def _wal(database: Database) -> int:
    with database.transaction() as tx:
        return int(tx.run("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')").scalar_one())
