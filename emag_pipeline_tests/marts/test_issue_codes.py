"""The rule of what can be bought stands in Python and in SQL: they never differ."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product
from math import prod
from typing import Any

import pytest

from emag_pipeline.marketplace.normalise import is_saleable
from emag_pipeline.marts.issue_words import ISSUES, issue
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.syncs import rows

_STOCKS = (None, -1, 0, 1, 12)
_SALE_PRICES = (None, Decimal(0), Decimal("0.0001"))
_STATUSES = (None, 0, 1, 2, 3)
_PRICES = (None, 0, 1, 2)
_CODES = [(), *((code,) for code in range(19)), (9, 9), (9, 8), (3, 11, 12), (8, 10)]

#: All codes of a product beside some of its translation, and the other way round: neither is judged by the other.
_PAIRS = [pair for pair in product(_CODES, _CODES) if not set(pair).isdisjoint([(), (9,), (8, 10)])]
_UNREADABLE: tuple[tuple[str, ...], ...] = ((), ("sale_price",), ("currency", "status"))

#: Lists are told by their places among those given, since a hundred thousand lists take long to read.
_COMBINATIONS = """
    FROM unnest(CAST(:stocks AS bigint[])) stock
    CROSS JOIN unnest(CAST(:sale_prices AS numeric[])) sale_price
    CROSS JOIN unnest(CAST(:statuses AS smallint[])) status
    CROSS JOIN unnest(CAST(:prices AS smallint[])) price
    CROSS JOIN ROWS FROM (unnest(CAST(:products AS text[])), unnest(CAST(:translations AS text[])))
        WITH ORDINALITY pair (product, translation, place)
    CROSS JOIN unnest(CAST(:unreadable AS text[])) WITH ORDINALITY field (names, place)
    CROSS JOIN LATERAL emag_issue_codes(
        status, stock, sale_price, price, CAST(product AS smallint[]), CAST(translation AS smallint[]),
        CAST(names AS text[])) issue_codes
"""
_BUYABLE = f"""
    SELECT stock, sale_price, status, price, CAST(pair.place AS integer) AS pair, CAST(field.place AS integer) AS field,
           issue_codes = '{{}}' AS is_buyable
    {_COMBINATIONS}
"""
_TOLD = f"SELECT DISTINCT unnest(issue_codes) AS code {_COMBINATIONS}"


@pytest.fixture
def database(read_only_database: Database) -> Database:
    return read_only_database


def _asked(database: Database, sql: str, pairs: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]) -> list[Any]:
    standings = {
        "stocks": list(_STOCKS),
        "sale_prices": list(_SALE_PRICES),
        "statuses": list(_STATUSES),
        "prices": list(_PRICES),
    }
    products, translations = zip(*pairs, strict=True)
    arrays = {"products": products, "translations": translations, "unreadable": _UNREADABLE}
    as_text = {name: ["{" + ",".join(map(str, one)) + "}" for one in given] for name, given in arrays.items()}
    return rows(database, sql, **standings, **as_text)


def test_there_is_no_code_exactly_when_an_offer_can_be_bought(database: Database) -> None:
    asked = _asked(database, _BUYABLE, _PAIRS)
    assert len(asked) == prod(map(len, (_STOCKS, _SALE_PRICES, _STATUSES, _PRICES, _PAIRS, _UNREADABLE)))
    differing = [
        row
        for row in asked
        if row.is_buyable
        != is_saleable(
            general_stock=row.stock,
            sale_price=row.sale_price,
            status=row.status,
            offer_validation_status=row.price,
            validation_status=_PAIRS[row.pair - 1][0],
            translation_validation_status=_PAIRS[row.pair - 1][1],
            unreadable=_UNREADABLE[row.field - 1],
        )
    ]
    assert not differing
    assert any(row.is_buyable for row in asked)


def test_every_code_that_the_documents_know_has_words(database: Database) -> None:
    told = {row.code for row in _asked(database, _TOLD, [(code, code) for code in _CODES])}
    without = {code for code in told if code not in ISSUES}
    assert without == {"product_7", "translation_7", *(f"product_{code}" for code in range(13, 19)), "translation_18"}
    assert told >= ISSUES.keys()


def test_words_are_sentences_without_a_stop() -> None:
    for words in ISSUES.values():
        for sentence in (words.reason, words.remedy):
            assert sentence[0].isupper()
            assert not sentence.endswith(".")


def test_a_code_that_nobody_documented_is_told_as_such() -> None:
    assert issue("product_77").reason == "The product is in the validation state 77, which is not documented"
