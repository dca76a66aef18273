"""The account's currency is counted from all its offers: no statement asks for it once for each of its own rows."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.marts import figures
from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import LOW_STOCK, OF_NEWEST_PUBLISH, OFFER_ISSUES, Mart
from emag_pipeline.review.checks import review
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import published
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import execute, rows, sync

_OFFERS = 30
_MARTS = ", ".join(f"'{mart.table}'" for mart in OF_NEWEST_PUBLISH)


def _statement(name: str, mart: Mart) -> Callable[[Database], object]:
    return lambda database: rows(database, mart.statement(name), account="main", limit=10)


def _currencies(database: Database) -> object:
    return review(database, "currencies_are_the_marketplaces", "main", currency=None, price_move=0.5)


_QUESTIONS: dict[str, Callable[[Database], object]] = {
    "lost_sales": lambda database: figures.lost_sales(database, "main"),
    "sold_out": lambda database: figures.sold_out(database, "main"),
    "lost": lambda database: figures.lost_buttons(database, "main"),
    "widest_gaps": lambda database: figures.widest_gaps(database, "main"),
    "issue_counts": lambda database: figures.issue_counts(database, "main"),
    "held_back": lambda database: figures.held_back(database, "main"),
    "headline": lambda database: published.headline(database, "main"),
    "currencies": _currencies,
    "offer_issues, numbers": _statement("numbers", OFFER_ISSUES),
    "offer_issues, sample": _statement("sample", OFFER_ISSUES),
    "low_stock, numbers": _statement("numbers", LOW_STOCK),
}


def _offer(id_: int, stock: int, rank: int) -> Any:
    race = {"best_offer_sale_price": Decimal(9), "buy_button_rank": rank, "number_of_offers": 2}
    return offer(id_, general_stock=stock, currency="RON", **race)


def _calls(database: Database) -> int:
    sql = """SELECT coalesce(sum(calls), 0) AS calls FROM pg_stat_user_functions
             WHERE funcname = 'emag_account_currency'"""
    return int(rows(database, sql)[0].calls)


@pytest.fixture
def counted(database: Database) -> Database:
    """Offers that have lost the buy button and are sold out, in a database that counts calls of functions."""
    execute(database, f"ALTER DATABASE {database.engine.url.database} SET track_functions = 'pl'")
    for stock, rank in ((50, 1), (20, 2), (0, 2)):
        sync(database, [_offer(id_, stock, rank) for id_ in range(1, _OFFERS + 1)])
    for mart in OF_NEWEST_PUBLISH:
        refresh(database, mart, "main")
    # whatever the planner believes: taken for one row, a table comes first in a nested loop
    execute(
        database, f"UPDATE pg_class SET reltuples = 1, relpages = greatest(relpages, 1) WHERE relname IN ({_MARTS})"
    )
    database.engine.dispose()  # connections made from now on count
    return database


@pytest.mark.parametrize("question", _QUESTIONS)
def test_the_currency_is_asked_for_once(counted: Database, question: str) -> None:
    before = _calls(counted)
    assert _QUESTIONS[question](counted)
    counted.engine.dispose()  # what a session has counted is known when it has ended, at the latest
    assert _calls(counted) - before == 1
