"""G1: readers never see part of a scan: before the publish commits they see the old state, after it the new."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.refresh import Contexts, refresh
from emag_pipeline_tests.sync.syncs import rows, sync

#: In one statement: what is published, what history calls current, and which sync the ledger says published it.
_STATE = """
    SELECT o.emag_offer_id, o.sale_price, o.general_stock, h.emag_offer_id AS in_history,
           h.sale_price AS price_in_history, h.general_stock AS stock_in_history,
           (SELECT sync_id FROM emag_offer_syncs WHERE status = 'completed'
            ORDER BY completed_at DESC LIMIT 1) AS published_by
    FROM emag_current_offers o
    FULL JOIN (SELECT * FROM emag_offer_history WHERE valid_to IS NULL) h USING (account_type, emag_offer_id)
"""


@dataclass
class Seen:
    """What a reader saw, each different thing once: states with the sync they are said to be of, and torn rows."""

    states: set[tuple[Any, frozenset[Any]]] = field(default_factory=set)
    torn: list[Any] = field(default_factory=list)

    def look(self, database: Database) -> None:
        found = rows(database, _STATE)
        self.torn += [row for row in found if row[0:3] != row[3:6]]
        self.states.add((found[0].published_by, frozenset(tuple(row[0:3]) for row in found)))


@contextmanager
def reading(look: Callable[[], None]) -> Iterator[None]:
    """A reader in a thread of its own, without a pause."""
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            look()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join()


def _truth(market: SandboxServer) -> frozenset[Any]:
    return frozenset((one["id"], Decimal(str(one["sale_price"])), one["general_stock"]) for one in market.truth("main"))


def test_g1_while_a_living_catalogue_is_published_again_and_again_readers_see_only_whole_states(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    whole = {(refresh(main()).sync.sync_id, _truth(small))}
    seen = Seen()
    with reading(lambda: seen.look(database)):
        for _ in range(6):
            small.advance(changes=150, account="main")
            small.remove("main", small.ids("main")[:3])
            whole.add((refresh(main()).sync.sync_id, _truth(small)))
    assert seen.torn == []
    assert seen.states <= whole
    assert len(seen.states) > 2, "the reader saw too few states to prove anything"


def test_g1_readers_see_the_old_state_or_the_new_one_and_nothing_between(database: Database) -> None:
    sync(database, [offer(id_, sale_price=Decimal(100)) for id_ in range(1, 51)])
    seen = Seen()
    with reading(lambda: seen.look(database)):
        for generation in range(1, 9):
            count, price = 50 + generation, Decimal(100 + generation)
            sync(database, [offer(id_, sale_price=price) for id_ in range(1, count + 1)])
    assert seen.torn == []
    prices = {(len(state), *{price for _, price, _ in state}) for _, state in seen.states}
    assert prices <= {(50 + generation, Decimal(100 + generation)) for generation in range(9)}
    assert len(prices) > 2, "the reader saw too few states to prove anything"
