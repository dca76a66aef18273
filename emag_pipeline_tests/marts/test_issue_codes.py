"""The rule of what can be bought stands in Python and in SQL: they never differ."""

from decimal import Decimal
from itertools import product

from emag_pipeline.marketplace.normalise import is_saleable
from emag_pipeline.marts.issue_words import ISSUES, issue
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.syncs import rows

_STOCKS = (None, -1, 0, 1, 12)
_SALE_PRICES = (None, Decimal(0), Decimal("0.0001"))
_STATUSES = (None, 0, 1, 2, 3)
_PRICES = (None, 0, 1, 2)
_CODES = [(), *((code,) for code in range(19)), (9, 9), (9, 8), (3, 11, 12), (8, 10)]

_UNREADABLE: tuple[tuple[str, ...], ...] = ((), ("sale_price",), ("currency", "status"))

_ASK = """
    SELECT stock, sale_price, status, price, p.codes AS product, t.codes AS translation, u.fields AS unreadable,
           emag_issue_codes(
               status::smallint, stock::bigint, sale_price, price::smallint, p.codes, t.codes, u.fields) AS codes
    FROM unnest(CAST(:stocks AS bigint[])) stock
    CROSS JOIN unnest(CAST(:sale_prices AS numeric[])) sale_price
    CROSS JOIN unnest(CAST(:statuses AS smallint[])) status
    CROSS JOIN unnest(CAST(:prices AS smallint[])) price
    CROSS JOIN (SELECT CAST(c AS smallint[]) FROM unnest(CAST(:codes AS text[])) c) p (codes)
    CROSS JOIN (SELECT CAST(c AS smallint[]) FROM unnest(CAST(:codes AS text[])) c) t (codes)
    CROSS JOIN (SELECT CAST(c AS text[]) FROM unnest(CAST(:unreadable AS text[])) c) u (fields)
"""


def _asked(database: Database) -> list[object]:
    codes, unreadable = (["{" + ",".join(map(str, one)) + "}" for one in arrays] for arrays in (_CODES, _UNREADABLE))
    standings = {
        "stocks": list(_STOCKS),
        "sale_prices": list(_SALE_PRICES),
        "statuses": list(_STATUSES),
        "prices": list(_PRICES),
    }
    return rows(database, _ASK, **standings, codes=codes, unreadable=unreadable)


def test_there_is_no_code_exactly_when_an_offer_can_be_bought(database: Database) -> None:
    asked = _asked(database)
    assert len(asked) == len(list(product(_STOCKS, _SALE_PRICES, _STATUSES, _PRICES, _CODES, _CODES, _UNREADABLE)))
    differing = [
        row
        for row in asked
        if (row.codes == [])
        != is_saleable(
            general_stock=row.stock,
            sale_price=row.sale_price,
            status=row.status,
            offer_validation_status=row.price,
            validation_status=row.product,
            translation_validation_status=row.translation,
            unreadable=row.unreadable,
        )
    ]
    assert not differing


def test_every_code_that_the_documents_know_has_words(database: Database) -> None:
    told = {code for row in _asked(database) for code in row.codes}
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
