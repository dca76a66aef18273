"""Loading 50,000 offers without HTTP, staged and published, against raw COPY of the same rows; and again, unchanged.

Raw COPY: the ready text, a page at a time, into a logged table of the same columns without any index. The second
load is of rows that are written as before: they are staged as what they are then, and published.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from benchmarks.report import Aim, Outcome
from benchmarks.surroundings import Fresh, ServerCpu, fresh_database
from benchmarks.wish import Wish
from emag_pipeline.marketplace.pages import page_of
from emag_pipeline.model import Offer, Page, Unchanged
from emag_pipeline.sandbox.catalogue.catalogue import Catalogue
from emag_pipeline.store.columns import STAGED, listed
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures, publish, staging, statistics
from emag_pipeline.sync.lease import take_lease
from emag_pipeline.sync.staging import Reached, StagedWindow, line

NAME = "load"
SPOILT = "staging has ten more indexes, and before the second load every offer has another stock."

_OFFERS = 50_000
_PAGE = 100


@dataclass(frozen=True, slots=True)
class _Load:
    """What a load took: seconds, CPU-seconds of this process and of the server, bytes of WAL."""

    seconds: float
    here: float
    server: ServerCpu
    wal: int

    def told(self) -> str:
        """The figures behind a share."""
        return (
            f"{self.seconds:.2f} s; CPU-seconds: {self.here:.1f} here, {self.server.sessions:.1f} in PostgreSQL, "
            f"{self.server.background:.1f} in its background"
        )


def measure(wish: Wish) -> Iterator[Outcome]:
    """Three loads of one catalogue: raw, into an empty account, and again unchanged."""
    offers = wish.of(_OFFERS)
    pages = _pages(offers)
    with fresh_database() as fresh:
        database = Database(fresh.url)
        raw = _measured(fresh, lambda: _raw_copy(database, pages))
        if wish.spoil:
            _slow_down(database)
        first = _measured(fresh, lambda: _sync(database, pages))
        again = _measured(fresh, lambda: _sync(database, _changed(pages) if wish.spoil else _unchanged(pages)))
        database.close()
    yield Outcome(
        f"{offers:,} offers into an empty account, share of raw COPY",
        raw.seconds / first.seconds,
        Aim("≥", 0.65),
        f"raw {raw.told()}; staged and published {first.told()}",
    )
    yield Outcome("bytes of WAL a row of it", first.wal / offers, None, f"raw COPY writes {raw.wal / offers:,.0f}")
    yield Outcome(
        "the same offers again, unchanged, share of raw COPY", raw.seconds / again.seconds, Aim("≥", 0.85), again.told()
    )
    yield Outcome("bytes of WAL a row of it, unchanged", again.wal / offers, Aim("≤", 2), f"{again.wal:,} in all")


def _pages(offers: int) -> list[Page]:
    catalogue = Catalogue(1, "main", offers)
    ids = catalogue.ids()
    numbers = range(offers // _PAGE)
    return [
        replace(page_of(n + 1, _PAGE, [catalogue.offer(one) for one in ids[n * _PAGE : (n + 1) * _PAGE]]), source=())
        for n in numbers
    ]


def _unchanged(pages: Sequence[Page]) -> list[Page]:
    """The pages as they are read when their rows are those that are published."""
    return [
        replace(page, offers=tuple(Unchanged(one.emag_offer_id, one.row_hash, one.content_hash) for one in page.offers))
        for page in pages
    ]


def _changed(pages: Sequence[Page]) -> list[Page]:
    """The pages with another stock of each offer."""
    return [
        replace(
            page,
            offers=tuple(
                replace(one, general_stock=(one.general_stock or 0) + 1, row_hash=b"\1" + one.row_hash[1:])
                for one in page.offers
                if isinstance(one, Offer)
            ),
        )
        for page in pages
    ]


def _slow_down(database: Database) -> None:
    with database.transaction() as tx:
        for number in range(10):
            tx.run(f"CREATE INDEX spoilt_{number} ON emag_scan_offers (name, brand, url)")


def _measured(fresh: Fresh, load: Callable[[], float]) -> _Load:
    server, wal, here = fresh.cpu(), fresh.wal(), time.process_time()
    seconds = load()
    return _Load(seconds, time.process_time() - here, fresh.cpu().since(server), fresh.wal() - wal)


def _raw_copy(database: Database, pages: Sequence[Page]) -> float:
    """Seconds to COPY ready text, a page at a time, into a logged table of the same columns without any index."""
    texts = ["".join(line([getattr(offer, name) for name in STAGED]) for offer in page.offers) for page in pages]
    with database.transaction() as tx:
        tx.run(f"CREATE TABLE raw AS SELECT {listed(STAGED)} FROM emag_scan_offers")
    began = time.monotonic()
    for text in texts:
        with database.transaction() as tx:
            tx.copy_in("COPY raw FROM STDIN", text)
    seconds = time.monotonic() - began
    with database.transaction() as tx:
        tx.run("DROP TABLE raw")
    return seconds


def _sync(database: Database, pages: Sequence[Page]) -> float:
    """Seconds of staging all pages, counting them and publishing."""
    began = time.monotonic()
    lease = take_lease(
        database,
        "main",
        str(uuid4()),
        timeout_hours=1,
        heartbeat_timeout_seconds=60,
        run_has_ended=lambda _: True,
    )
    staging.discard_remains(database, lease)
    staging.plan(database, lease, pages=len(pages), offers=len(pages) * _PAGE)
    for number, page in enumerate(pages, 1):
        window = StagedWindow(page, number, 1, (), page.rejects)
        staging.stage_windows(database, lease, [window], Reached(number, len(pages), number * _PAGE))
    statistics.renew_staged(database, lease.account)
    figures.begin_audit(database, lease)
    figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())
    publish.publish(database, lease)
    return time.monotonic() - began
