"""G2 and G3 for 6,000 offers of which one arrives and one departs every 5 and every 1.5 seconds: each sync publishes.

Time runs ten times as fast: 30 calls a second, a movement every 0.5 and every 0.15 seconds.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.promises.watching import newest
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.syncs import rows

_OFFERS = 6_000
_RATE = {"EMAG_API_REQUESTS_PER_SECOND": "30", "EMAG_API_REQUESTS_PER_MINUTE": "1800"}
_STATES = "SELECT emag_offer_id, deleted_at IS NULL AS stands FROM emag_product_offers"


class _Life:
    """Movements of a catalogue: one offer departs from any place and one arrives, again and again."""

    def __init__(self, market: SandboxServer) -> None:
        self._market = market
        self._random = random.Random(1)
        self._lock = threading.Lock()
        self.standing = set(market.ids("main"))
        #: since the last look
        self.departed: set[int] = set()
        self.arrived: set[int] = set()

    def move(self) -> None:
        """One departs, one arrives."""
        with self._lock:
            gone = self._random.choice(sorted(self.standing))
            self._market.remove("main", [gone])
            new = self._market.add("main", 1, place=self._random.choice(("end", "front")))
            self.standing = self.standing - {gone} | set(new)
            self.departed.add(gone)
            self.arrived.update(new)

    def look(self) -> set[int]:
        """What stands now; from here on movements are noted anew."""
        with self._lock:
            self.departed, self.arrived = set(), set()
            return set(self.standing)

    def since(self, before: set[int]) -> tuple[set[int], set[int]]:
        """Of those that stood at the last look and since: the offers that were there throughout, and at any moment."""
        with self._lock:
            return before - self.departed, before | self.arrived

    @contextmanager
    def going_on(self, seconds: float) -> Iterator[None]:
        """A movement every so many seconds, meanwhile."""
        ended = threading.Event()

        def live() -> None:
            while not ended.wait(seconds):
                self.move()

        mover = threading.Thread(target=live, daemon=True)
        mover.start()
        try:
            yield
        finally:
            ended.set()
            mover.join()


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "order"), [(0.5, "id"), (0.15, "id_desc")])
def test_g2_each_sync_of_a_catalogue_that_moves_publishes_what_was_there_throughout(
    database: Database, seconds: float, order: str
) -> None:
    with unlimited_sandbox(accounts={"main": _OFFERS}, order=order) as market:
        life = _Life(market)
        known: set[int] = set()
        with life.going_on(seconds):
            for _ in range(3):
                before = life.look()
                refresh(context_for(database, market.url, **_RATE))
                throughout, ever = life.since(before)
                assert life.departed, "nothing moved while it was read"
                states = {row.emag_offer_id: row.stands for row in rows(database, _STATES)}
                published = {one for one, stands in states.items() if stands}
                assert throughout <= published <= ever
                assert known <= states.keys(), "an offer that was published has neither a state nor a tombstone"
                assert newest(database).status == "completed"
                known = published
