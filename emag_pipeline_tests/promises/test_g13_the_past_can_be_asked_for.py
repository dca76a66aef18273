"""G13: what the catalogue was at any past moment (since the first publish) can be asked in one SQL call.

`EMAG_RANDOMISED_SEED` replays an earlier story; a failure prints its seed.
"""

import os
import random
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.errors import SettingsError
from emag_pipeline.model import Offer, Reject
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.columns import NARROW, listed
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import statistics
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.syncs import rows, sync
from emag_pipeline_tests.sync.truth import expected

State = dict[int, dict[str, Any]]

_AS_OF = f"SELECT emag_offer_id, {listed(NARROW)} FROM emag_offers_as_of(:account, :at)"
_NOW = f"""SELECT emag_offer_id, {listed(NARROW)} FROM emag_product_offers
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
    for number, (at, state) in enumerate(past):
        assert _as_of(database, account, at) == state, f"at publish {number}"
        assert _as_of(database, account, at + _INSTANT) == state, f"just after publish {number}"
        if number:
            assert _as_of(database, account, at - _INSTANT) == past[number - 1][1], f"just before publish {number}"
    (now,) = rows(database, "SELECT clock_timestamp() AS at")
    assert _as_of(database, account, now.at) == past[-1][1] == _state(database, _NOW, account=account)


def _stored(one: Offer) -> dict[str, Any]:
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
        tx.run("ANALYZE emag_offer_states")
        tx.run("ANALYZE emag_product_offers")
    plan = "\n".join(row[0] for row in rows(database, f"EXPLAIN {_AS_OF}", account="main", at=at))
    assert "emag_offer_states_pkey" in plan
    assert "Function Scan" not in plan, "it is no longer inlined"


def test_g13_a_condition_on_the_key_reaches_the_look_ups_and_whether_it_is_known_is_not_asked_offer_by_offer(
    database: Database,
) -> None:
    for price in range(1, 4):
        at = sync(database, [offer(number, sale_price=Decimal(price)) for number in range(1, 2_001)]).published_at
    statistics.renew(database, statistics.PUBLISHED)
    one = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {_AS_OF} WHERE emag_offer_id = 7"
    with database.transaction() as tx:
        tx.run(one, account="main", at=at)  # what a session reads of functions at their first call is not counted
        plan = "\n".join(tx.run(one, account="main", at=at).scalars())
    assert "emag_offer_id = 7" in plan.partition("emag_product_offers_pkey")[2]
    (hit,) = re.findall(r"Buffers: shared hit=(\d+)", plan)[:1]
    assert int(hit) < 40, plan
    with database.transaction() as tx:
        tx.run("SET LOCAL track_functions = 'all'")
        assert len(tx.run(_AS_OF, account="main", at=at).all()) == 2_000
        calls = "SELECT calls FROM pg_stat_xact_user_functions WHERE funcname = 'emag_require_known'"
        assert tx.run(calls).scalar_one() < 50


@dataclass(frozen=True, slots=True)
class _Known:
    """A database with a short past, for tests that only ask."""

    database: Database
    first: datetime


@contextmanager
def _with_a_past(cluster: EmbeddedServer, template: str, name: str) -> Iterator[_Known]:
    with copied(cluster, template, name) as url, closing(Database(url)) as database:
        first = sync(database, [offer(number) for number in range(1, 30)]).published_at
        sync(database, [offer(1)], account="fbe")
        sync(database, [offer(1, general_stock=7)])
        yield _Known(database, first)


@pytest.fixture(scope="module")
def known(cluster: EmbeddedServer, template: str) -> Iterator[_Known]:
    with _with_a_past(cluster, template, "past") as known:
        yield known


@pytest.fixture(scope="module")
def known_to_the_planner(cluster: EmbeddedServer, template: str) -> Iterator[_Known]:
    with _with_a_past(cluster, template, "analysed_past") as known:
        statistics.renew(known.database, statistics.PUBLISHED)
        yield known


_NEAR_NOW = "now() + interval '1 second'"


@pytest.mark.parametrize(
    ("account", "moment", "words"),
    [
        ("main", ":first - interval '1 microsecond'", "nothing is known of the account main at .*: it was first"),
        ("main", "'2020-01-01Z'", r"at 2020-01-01T00:00:00\.000000Z: it was first published at {first}\. Ask for that"),
        ("main", "'-infinity'", "at -infinity: it was first published at"),
        ("main", _NEAR_NOW, r"Z is yet to come: it is 20\d\d-.*Z now\. Ask for a past moment"),
        ("main", "'infinity'", "infinity is yet to come"),
        ("main", "CAST(NULL AS timestamptz)", "no moment is given"),
        ("another", "now()", "the account 'another' was never published, .*past. Ask for one of: fbe, main"),
        (None, "now()", "no account is given. Ask for one of: fbe, main"),
    ],
)
@pytest.mark.parametrize("where", ["", " WHERE emag_offer_id = 7", " WHERE account_type = 'another'"])
def test_g13_what_is_not_known_is_refused_and_not_answered_with_nothing(
    known: _Known, account: str | None, moment: str, words: str, where: str
) -> None:
    database, first = known.database, known.first
    words = words.replace("{first}", re.escape(first.isoformat().replace("+00:00", "Z")))
    asked = f"SELECT * FROM emag_offers_as_of(CAST(:account AS text), {moment})"
    with pytest.raises(SettingsError, match=words):
        rows(database, asked + where, account=account, first=first)
    inner = asked.replace("emag_offers_as_of(", "emag_offers_as_of_if_known(")
    assert rows(database, inner, account=account, first=first) == []


_JOINS = (
    "(VALUES ({account})) t (account) LEFT JOIN LATERAL emag_offers_as_of(t.account, {at}) o ON true",
    """(VALUES ({account})) t (account)
       LEFT JOIN LATERAL emag_offers_as_of(t.account, {at}) o ON o.emag_offer_id = 999""",
    """(VALUES (CAST({account} AS text))) t (account)
       LEFT JOIN emag_offers_as_of({account}, {at}) o ON o.account_type = t.account""",
    """emag_current_offers c
       LEFT JOIN emag_offers_as_of({account}, {at}) o USING (account_type, emag_offer_id)""",
    """(VALUES ({at})) t (at)
       LEFT JOIN LATERAL emag_offers_as_of({account}, CAST(t.at AS timestamptz)) o ON true""",
    """emag_current_offers c
       LEFT JOIN LATERAL (SELECT * FROM emag_offers_as_of({account}, {at}) o
                          WHERE o.emag_offer_id = c.emag_offer_id) o ON true""",
)


@pytest.mark.parametrize("which", ["known", "known_to_the_planner"])
@pytest.mark.parametrize("join", _JOINS)
@pytest.mark.parametrize("account", ["'another'", "CAST(NULL AS text)", "'main'"])
def test_g13_what_is_not_known_is_refused_in_the_nullable_half_of_a_join_too(
    request: pytest.FixtureRequest, account: str, join: str, which: str
) -> None:
    known: _Known = request.getfixturevalue(which)
    at = "CAST('2020-01-01Z' AS timestamptz)" if account == "'main'" else "now()"
    asked = join.replace("{account}", account).replace("{at}", at)
    with pytest.raises(SettingsError, match=r"first published at|was never published|no account is given"):
        rows(known.database, f"SELECT count(*) FROM {asked}")


def test_g13_in_a_database_without_any_publish_nothing_is_answered_either(database: Database) -> None:
    with pytest.raises(SettingsError, match=r"was never published, .* Publish it first: emag-pipeline sync"):
        rows(database, _AS_OF, account="main", at=datetime.now(UTC))


def test_g13_a_join_with_a_moment_that_is_not_known_is_refused_too(database: Database) -> None:
    sync(database, [offer(1)])
    with pytest.raises(SettingsError, match="it was first published at"):
        rows(
            database,
            """SELECT * FROM emag_offers_as_of('main', now() - interval '7 days') w
               FULL JOIN emag_offers_as_of('main', now()) n USING (account_type, emag_offer_id)""",
        )


def test_g13_a_clock_that_was_set_back_keeps_the_newest_state_from_nobody(database: Database) -> None:
    at = sync(database, [offer(1)]).published_at
    let_pass(database, -timedelta(hours=1))
    assert len(_as_of(database, "main", at + timedelta(hours=1))) == 1


_CHANGES = ("price", "stock", "status", "verdict", "text", "departure", "arrival", "revival", "rejection")


class _Catalogue:
    """A marketplace's account in memory, and what a publish of it must show."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.shown = {number: offer(number) for number in range(1, 25)}
        self._departed: dict[int, Offer] = {}

    def publish(self, database: Database, account: str, before: State) -> tuple[datetime, State]:
        """Change something, or nothing; sync; return the moment and the state that must be readable since then."""
        spoilt: set[int] = set()
        for kind in self._chance.choices(_CHANGES, k=self._chance.choice([0, 0, 1, 4, 12])):
            self._change(kind, spoilt)
        gone = sorted(set(before) - set(self.shown))
        rejects = [Reject(number, "spoilt", "{}") for number in spoilt]
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


def test_g13_what_was_published_from_the_api_is_read_as_the_marketplace_was(
    database: Database, chance: random.Random
) -> None:
    past: list[tuple[datetime, State]] = []
    with unlimited_sandbox(accounts={"main": 320}) as market:
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
