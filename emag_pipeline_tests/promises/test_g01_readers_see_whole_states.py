"""G1: readers never see part of a scan."""

import threading
from decimal import Decimal

from emag_pipeline.db.engine import Database
from emag_pipeline_tests.db.offers import offer
from emag_pipeline_tests.db.syncs import rows, sync

_STATE = """
    SELECT count(*) AS offers, count(DISTINCT sale_price) AS prices, min(sale_price) AS price,
           (SELECT count(*) FROM {schema}.emag_offer_history WHERE valid_to IS NULL) AS open_states
    FROM {schema}.emag_current_offers
"""


def test_g1_readers_see_the_old_state_or_the_new_one_and_nothing_between(database: Database) -> None:
    sync(database, [offer(id_, sale_price=Decimal(100)) for id_ in range(1, 51)])
    seen: list[tuple[int, int, Decimal, int]] = []
    published = threading.Event()

    def read() -> None:
        while not published.is_set():
            seen.extend(tuple(row) for row in rows(database, _STATE))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for generation in range(1, 9):
            count, price = 50 + generation, Decimal(100 + generation)
            sync(database, [offer(id_, sale_price=price) for id_ in range(1, count + 1)])
    finally:
        published.set()
        reader.join()
    whole = {(50 + generation, 1, Decimal(100 + generation), 50 + generation) for generation in range(9)}
    assert set(seen) <= whole
    assert len(set(seen)) > 2, "the reader saw too few states to prove anything"
