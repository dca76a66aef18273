"""A new account beside a filled one, on a server that analyses nothing by itself: what each statement reads of it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from emag_pipeline.admin.explain import explain
from emag_pipeline.admin.export import Selection, batches, columns
from emag_pipeline.admin.history import states_of
from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.marts.checks import look_at, reconcile
from emag_pipeline.marts.refresh import refresh as refresh_mart
from emag_pipeline.marts.registry import DAILY_ASSORTMENT, OF_NEWEST_PUBLISH
from emag_pipeline.reference.tables import unknown_categories, unknown_vat_rates
from emag_pipeline.report import facts_of, page
from emag_pipeline.review.checks import OF_A_PUBLISH, OF_OFFERS, review
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.store.roles import exportable
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.store.plans import EXPLAINING, Explained, Statements
from emag_pipeline_tests.sync.refresh import context_for, refresh

_LARGE, _NEW = 4_000, 900
#: For each offer of the new account. What creates rows reads the most: a few blocks for every text and index.
_MOST_BUFFERS, _MOST_ROWS = 40, 40


@dataclass(frozen=True, slots=True)
class Shop:
    """The database, what its statements read, and those of the new account's syncs."""

    database: Database
    statements: Statements
    syncs: list[Explained]
    offer_id: int


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """`main` has long been there; `fbe` was published for the first time, and once more after prices moved."""
    accounts = {"main": _LARGE, "fbe": _NEW}
    settings = {"fsync": "off", "autovacuum": "off", **EXPLAINING}
    with (
        unlimited_sandbox(accounts=accounts) as market,
        ScratchServer.opened(settings) as server,
        closing(Database(server.url("emag"), pool_size=1)) as database,
        closing(Database(server.url("emag"), pool_size=8)) as working,
    ):
        statements, of_syncs = Statements(database), Statements(working)
        migrate.upgrade(database)
        for _ in range(2):
            refresh(context_for(working, market.url, "main"))
            _marts(working, "main")
            market.advance(account="main", days=1, changes=_LARGE // 10)
        with of_syncs.during() as syncs:
            for _ in range(2):
                refresh(context_for(working, market.url, "fbe"))
                _marts(working, "fbe")
                market.advance(account="fbe", days=1, changes=_NEW // 2)
            refresh(context_for(working, market.url, "fbe"))
        yield Shop(database, statements, syncs, market.ids("fbe")[0])


def _marts(database: Database, account: str) -> None:
    for mart in OF_NEWEST_PUBLISH:
        refresh_mart(database, mart, account)
    refresh_mart(database, DAILY_ASSORTMENT, account, datetime.now(UTC).date())


_Work = Callable[[Database, int], object]


def _review(name: str) -> _Work:
    return lambda database, _: review(database, name, "fbe", currency="RON", price_move=0.5)


def _exported(table: str) -> _Work:
    def export(database: Database, _: int) -> None:
        chosen = Selection(table, "account_type", "fbe")
        for _batch in batches(database, chosen, columns(database, chosen)):
            pass

    return export


_OF_ACCOUNTS = [table for table in exportable() if table not in {
    "emag_categories", "emag_vat_rates", "emag_vat_rate_history", "emag_handling_times", "emag_reference_reads",
    "emag_incidents", "emag_check_results",
}]  # fmt: skip
_REVIEWED = [
    check.name for check in (*OF_A_PUBLISH, *OF_OFFERS)
    if check.name not in ("offers_are_fresh", "answers_are_as_known")
]  # fmt: skip
_WORK: dict[str, _Work] = {
    "marts": lambda database, _: _marts(database, "fbe"),
    "looks": lambda database, _: [look_at(database, mart, "fbe") for mart in OF_NEWEST_PUBLISH],
    "reconciliations": lambda database, _: [reconcile(database, mart, "fbe") for mart in OF_NEWEST_PUBLISH],
    "reconciliation of the day": lambda database, _: reconcile(
        database, DAILY_ASSORTMENT, "fbe", datetime.now(UTC).date()
    ),
    "unknown VAT rates": lambda database, _: unknown_vat_rates(database, "sandbox"),
    "unknown categories": lambda database, _: unknown_categories(database, "sandbox"),
    "report": lambda database, _: page(facts_of(database, "fbe")),
    "explain": lambda database, offer: explain(database, "fbe", offer, "ro"),
    "history": lambda database, offer: states_of(database, "fbe", offer),
    **{f"check {name}": _review(name) for name in _REVIEWED},
    **{f"export {table}": _exported(table) for table in _OF_ACCOUNTS},
}


def _too_dear(seen: list[Explained]) -> list[str]:
    """Statements that read more than their share; reading each offer's rows for each offer would be 900 times it."""
    return [str(one) for one in seen if one.buffers > _MOST_BUFFERS * _NEW or one.rows > _MOST_ROWS * _NEW]


@pytest.mark.parametrize("name", _WORK)
def test_what_is_read_of_an_account_grows_with_its_offers(name: str, shop: Shop) -> None:
    with shop.statements.during() as seen:
        _WORK[name](shop.database, shop.offer_id)
    assert seen
    assert _too_dear(seen) == []


def test_so_does_what_its_syncs_read(shop: Shop) -> None:
    assert len(shop.syncs) > 200
    assert _too_dear(shop.syncs) == []
