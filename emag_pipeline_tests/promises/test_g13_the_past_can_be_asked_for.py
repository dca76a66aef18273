"""G13: what the catalogue was at any past moment (since the first publish) can be asked in one SQL call.

`EMAG_RANDOMISED_SEED` replays an earlier story; a failure prints its seed.
"""

import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from emag_pipeline.db.columns import NARROW, listed
from emag_pipeline.db.engine import Database
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.db.offers import offer
from emag_pipeline_tests.db.syncs import rows, sync
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.truth import expected

State = dict[int, dict[str, Any]]

_AS_OF = f"SELECT emag_offer_id, {listed(NARROW)} FROM {{schema}}.emag_offers_as_of(:account, :at)"
_NOW = f"""SELECT emag_offer_id, {listed(NARROW)} FROM {{schema}}.emag_product_offers
           WHERE account_type = :account AND deleted_at IS NULL"""
_INSTANT = timedelta(microseconds=1)
_STEPS = 30


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("EMAG_RANDOMISED_SEED") or random.getrandbits(32))
    print(f"EMAG_RANDOMISED_SEED={seed}")
    return random.Random(seed)


def _state(database: Database, sql: str, **parameters: Any) -> State:
    found = [dict(row._mapping) for row in rows(database, sql, **parameters)]
    by_id = {row.pop("emag_offer_id"): row for row in found}
    assert len(by_id) == len(found), "an offer stands twice in one moment"
    return by_id


def _as_of(database: Database, account: str, at: datetime) -> State:
    return _state(database, _AS_OF, account=account, at=at)


def _assert_each_moment(database: Database, account: str, past: list[tuple[datetime, State]]) -> None:
    """`past` has the publishes in order, each with the state that it showed."""
    assert _as_of(database, account, past[0][0] - _INSTANT) == {}
    for number, (at, state) in enumerate(past):
        assert _as_of(database, account, at) == state, f"at publish {number}"
        assert _as_of(database, account, at + _INSTANT) == state, f"just after publish {number}"
        before = past[number - 1][1] if number else {}
        assert _as_of(database, account, at - _INSTANT) == before, f"just before publish {number}"
    (now,) = rows(database, "SELECT clock_timestamp() AS at")
    assert _as_of(database, account, now.at) == past[-1][1] == _state(database, _NOW, account=account)


def _stored(one: SimpleNamespace) -> dict[str, Any]:
    """A hand-made offer as its row is read."""
    row = {name: getattr(one, name) for name in NARROW}
    return row | {
        "validation_status": list(one.validation_status),
        "translation_validation_status": list(one.translation_validation_status),
        "handling_time": [],
        "unreadable": list(one.unreadable),
    }


def test_g13_a_past_moment_costs_by_the_offers_and_not_by_the_length_of_their_history(database: Database) -> None:
    catalogue = range(1, 2_001)
    for price in range(1, 4):
        at = sync(database, [offer(number, sale_price=Decimal(price)) for number in catalogue]).published_at
    with database.transaction() as tx:
        tx.run("ANALYZE {schema}.emag_offer_history")
        tx.run("ANALYZE {schema}.emag_product_offers")
    plan = "\n".join(row[0] for row in rows(database, f"EXPLAIN {_AS_OF}", account="main", at=at))
    assert "emag_offer_history_pkey" in plan
    assert "Function Scan" not in plan, "it is no longer inlined"
    one = "\n".join(
        row[0] for row in rows(database, f"EXPLAIN {_AS_OF} WHERE emag_offer_id = 7", account="main", at=at)
    )
    assert "emag_offer_id = 7" in one.partition("emag_product_offers_pkey")[2]


_CHANGES = ("price", "stock", "status", "verdict", "text", "departure", "arrival", "revival", "rejection")


class _Catalogue:
    """A marketplace's account in memory, and what a publish of it must show."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.shown = {number: offer(number) for number in range(1, 25)}
        self._departed: dict[int, SimpleNamespace] = {}

    def publish(self, database: Database, account: str, before: State) -> tuple[datetime, State]:
        """Change something, or nothing; sync; return the moment and the state that must be readable since then."""
        spoilt: set[int] = set()
        for kind in self._chance.choices(_CHANGES, k=self._chance.choice([0, 0, 1, 4, 12])):
            self._change(kind, spoilt)
        gone = sorted(set(before) - set(self.shown))
        rejects = [SimpleNamespace(emag_offer_id=number, reason="spoilt", payload="{}") for number in spoilt]
        good = [one for number, one in self.shown.items() if number not in spoilt]
        done = sync(database, good, gone=gone, rejects=rejects, account=account)
        kept = {number: before[number] for number in spoilt & before.keys()}
        return done.published_at, kept | {one.emag_offer_id: _stored(one) for one in good}

    def _change(self, kind: str, spoilt: set[int]) -> None:
        number = self._chance.choice(sorted(self.shown))
        if kind == "departure" and len(self.shown) > 1:
            self._departed[number] = self.shown.pop(number)
            spoilt.discard(number)
        elif kind == "arrival":
            arrived = max([*self.shown, *self._departed]) + 1
            self.shown[arrived] = offer(arrived)
        elif kind == "revival" and self._departed:
            number = self._chance.choice(sorted(self._departed))
            self.shown[number] = self._departed.pop(number)
        elif kind == "rejection":
            spoilt.add(number)
        else:
            values = {name: getattr(self.shown[number], name) for name in (*NARROW, "name")}
            self.shown[number] = offer(number, **values | self._move(kind))

    def _move(self, kind: str) -> dict[str, Any]:
        moves = {
            "price": {"sale_price": Decimal(self._chance.randrange(10**7)).scaleb(-4) + Decimal("1.0000")},
            "stock": {"general_stock": self._chance.choice([0, 0, 3, 2**40, None])},
            "status": {"status": self._chance.choice([0, 1, 2])},
            "verdict": {"validation_status": self._chance.choice([(9,), (12,), (1,), (8, 9)])},
        }
        return moves.get(kind, {"name": f"Cafea {self._chance.random()}"})


def test_g13_after_random_changes_every_past_state_is_read_as_it_was_published(
    database: Database, chance: random.Random
) -> None:
    past: dict[str, list[tuple[datetime, State]]] = {"main": [], "fbe": []}
    catalogues = {account: _Catalogue(chance) for account in past}
    for step in range(_STEPS):  # two accounts with the same ids, in turns: neither shows the other's
        account = ("main", "fbe")[step % 2]
        before = past[account][-1][1] if past[account] else {}
        past[account].append(catalogues[account].publish(database, account, before))
    for account, states in past.items():
        _assert_each_moment(database, account, states)
    assert _as_of(database, "another", past["main"][-1][0]) == {}


def test_g13_what_was_published_from_the_api_is_read_as_the_marketplace_was(
    database: Database, chance: random.Random
) -> None:
    past: list[tuple[datetime, State]] = []
    with SandboxServer(accounts={"main": 320}, requests_per_second=0, requests_per_minute=0) as market:
        for _ in _market_days(market, chance):
            done = refresh(context_for(database, market.url))
            past.append((done.published.published_at, _truth(market, past[-1][1] if past else {})))
    _assert_each_moment(database, "main", past)


def _market_days(market: SandboxServer, chance: random.Random) -> Iterator[None]:
    yield  # the first publish
    market.advance(changes=60)
    yield
    yield  # nothing moved
    gone = chance.sample(market.ids("main"), 5)
    market.remove("main", gone)
    market.advance(changes=10, kind="price")
    yield
    spoilt = chance.choice(market.ids("main"))
    market.edit("main", spoilt, sale_price=1.5)
    market.add_fault("poison", row="price", offer_ids=[spoilt])
    market.add("main", 3, place="front")
    yield
    market.clear_faults()
    market.show("main", gone)
    yield


def _truth(market: SandboxServer, before: State) -> State:
    """What the marketplace truly shows; of a price that is spoilt, what was last published."""
    saleable = set(market.saleable_ids("main"))
    spoilt = {number for fault in market.faults() for number in fault["offer_ids"] or ()}
    now = {one["id"]: expected(one, one["id"] in saleable) for one in market.truth("main")}
    narrow = {number: {name: row[name] for name in NARROW} for number, row in now.items()}
    for number in spoilt:
        unreadable = {"unreadable": ["sale_price"], "is_saleable": False}
        narrow[number] |= {"sale_price": before[number]["sale_price"], **unreadable}
    return narrow
