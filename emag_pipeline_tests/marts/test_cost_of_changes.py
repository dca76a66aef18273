"""What a mart's refresh and a look-up read follows what has changed or is found, not how much there is."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import MARTS, OF_NEWEST_PUBLISH, Mart
from emag_pipeline.model import Offer, Reject
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.store.plans import EXPLAINING, Statements
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import rows, sync

_OFFERS = 3_000
_CHANGED = 20
#: Blocks that a refresh may read of an account that stood still, and for each offer that has changed. All offers with
#: their history are more than 5,000 at each of a refresh's looks.
_MOST_BUFFERS, _MOST_FOR_A_CHANGE = 200, 60


@dataclass(frozen=True, slots=True)
class Shop:
    """An account whose offers were last published long ago, with marts, and what its statements read."""

    past: Past
    statements: Statements


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with (
        ScratchServer.opened({"fsync": "off", "autovacuum": "off", **EXPLAINING}) as server,
        closing(Database(server.url("emag"), pool_size=1)) as database,
    ):
        statements = Statements(database)
        migrate.upgrade(database)
        past = Past(database)
        for stock in (9, 7, 3, 0):
            past.publish(*(_offer(key, stock) for key in range(_OFFERS)))
            past.wait(days=2)
        past.wait(days=31)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")  # moving the past back has left each row's old versions
        reject = Reject(1007, "sale_price is 'x', not a number", "{}")
        sync(database, list(past.now.values()), rejects=[reject])
        past.publish(*past.now.values())
        for mart in MARTS:
            _refresh(database, mart)
        yield Shop(past, statements)


def _offer(key: int, stock: int) -> Offer:
    """A third sells out in the end, the others have stock; most have a rank."""
    return good(
        key,
        general_stock=stock if key % 3 == 0 else 50 + stock,
        buy_button_rank=key % 4 or None,
        part_number=f"P-{key}",
        ean=(f"594{key:010}", f"595{key:010}"),
    )


def _refresh(database: Database, mart: Mart) -> None:
    refresh(database, mart, "main", datetime.now(UTC).date() if mart.is_by_day else None)


def _read_by(shop: Shop, mart: Mart) -> int:
    with shop.statements.during() as seen:
        _refresh(shop.past.database, mart)
    print(f"\n{mart.name}: {sum(one.buffers for one in seen):,} buffers")
    return sum(one.buffers for one in seen)


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_an_account_that_stood_still_costs_next_to_nothing(mart: Mart, shop: Shop) -> None:
    shop.past.publish(*shop.past.now.values())
    assert _read_by(shop, mart) < _MOST_BUFFERS


@pytest.mark.parametrize("mart", OF_NEWEST_PUBLISH, ids=lambda mart: mart.name)
def test_few_changes_cost_little(mart: Mart, shop: Shop) -> None:
    """After the others: what has changed within the last day is looked at by buy_button for a day."""
    price = shop.past.now[1].sale_price + 1
    changed = [good(key, general_stock=8, buy_button_rank=1, sale_price=price) for key in range(_CHANGED)]
    shop.past.publish(*changed, *(one for key, one in shop.past.now.items() if key >= _CHANGED))
    assert _read_by(shop, mart) < _MOST_BUFFERS + _MOST_FOR_A_CHANGE * _CHANGED


_LOOK_UPS = {
    "part number": "SELECT emag_offer_id FROM emag_current_offers WHERE part_number = 'P-1007'",
    "EAN": "SELECT emag_offer_id FROM emag_offers_by_ean('5950000001007')",
    "reject": """SELECT emag_offer_id FROM emag_offer_rejects
                 WHERE account_type = 'main' AND emag_offer_id = 1007 ORDER BY reject_id DESC LIMIT 1""",
    "what changed since": """SELECT 1007 AS emag_offer_id, count(*) FROM emag_offer_history
                             WHERE account_type = 'main' AND valid_from > now() - interval '1 day'""",
}


@pytest.mark.parametrize("name", _LOOK_UPS)
def test_a_look_up_reads_what_it_finds(name: str, shop: Shop) -> None:
    with shop.statements.during() as seen:
        found = rows(shop.past.database, _LOOK_UPS[name])
    (buffers,) = [one.buffers for one in seen if "emag_offer_id" in one.sql]
    print(f"\n{name}: {buffers:,} buffers")
    assert [row.emag_offer_id for row in found] == [1007]
    assert buffers < 40
