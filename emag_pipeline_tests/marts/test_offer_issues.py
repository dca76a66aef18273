import json
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.errors import PermanentError
from emag_pipeline.marts.checks import look_at
from emag_pipeline.marts.figures import issue_counts
from emag_pipeline.marts.issue_words import issue
from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import OFFER_ISSUES
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import begin, rows


def _issues(database: Database) -> dict[tuple[int, str], Any]:
    refresh(database, OFFER_ISSUES, "main")
    found = rows(database, "SELECT * FROM emag_offer_issues WHERE account_type = 'main'")
    return {(row.emag_offer_id, row.issue_code): row for row in found}


@pytest.fixture
def past(database: Database) -> Past:
    return Past(database)


def test_each_reason_is_a_row_with_words_stock_and_value(database: Database, past: Past) -> None:
    past.publish(good(1), good(2, status=0, validation_status=(8,), sale_price=Decimal("3.2500"), general_stock=4))
    found = _issues(database)
    assert found.keys() == {(2, "inactive"), (2, "product_8")}
    row = found[2, "inactive"]
    assert (row.reason, row.remedy) == (issue("inactive").reason, issue("inactive").remedy)
    assert (row.stock_held_back, row.value_held_back, row.currency) == (4, Decimal("13.0000"), "RON")


def test_an_unknown_code_is_told_in_words_too(database: Database, past: Past) -> None:
    past.publish(good(1, validation_status=(77,)))
    row = _issues(database)[1, "product_77"]
    assert (row.reason, row.remedy) == (issue("product_77").reason, issue("product_77").remedy)


@pytest.mark.parametrize("stock", [None, 0, -3])
def test_without_stock_or_price_nothing_is_held_back(database: Database, past: Past, stock: int | None) -> None:
    past.publish(good(1, general_stock=stock), good(2, sale_price=None, status=0))
    found = _issues(database)
    (mine,) = [row for (offer_id, _), row in found.items() if offer_id == 1]
    assert (mine.stock_held_back, mine.value_held_back) == (0, 0)
    assert found[2, "inactive"].value_held_back is None


def test_a_total_stock_that_is_not_told_and_one_that_is_no_number_have_words_of_their_own(
    database: Database, past: Past
) -> None:
    past.publish(good(1, general_stock=None), good(2, general_stock=None, raw='{"general_stock": ["N/A"]}'))
    found = _issues(database)
    assert found.keys() == {(1, "stock_unknown"), (2, "stock_unknown")}
    assert found[1, "stock_unknown"].reason == "The marketplace reports no total stock"
    assert found[2, "stock_unknown"].reason == "The marketplace reports a total stock that is not a number"
    counts = issue_counts(database, "main")
    assert [(one.code, one.offers) for one in counts] == [("stock_unknown", 1), ("stock_unknown", 1)]
    assert {one.reason for one in counts} == {row.reason for row in found.values()}
    past.publish(good(1, general_stock=None, raw='{"general_stock": ["N/A"]}'), good(2, general_stock=None))
    again = _issues(database)
    assert again[1, "stock_unknown"].remedy == found[2, "stock_unknown"].remedy
    assert again[2, "stock_unknown"].remedy == found[1, "stock_unknown"].remedy


def test_an_absurd_stock_costs_no_refresh(database: Database, past: Past) -> None:
    past.publish(good(1, general_stock=2**63 - 1, sale_price=Decimal("99999999999999.9999"), status=0))
    assert _issues(database)[1, "inactive"].value_held_back > 10**32


def test_since_is_the_publish_at_which_it_began(database: Database, past: Past) -> None:
    past.publish(good(1))
    past.wait(days=3)
    past.publish(good(1, general_stock=0))
    past.wait(days=2)
    past.publish(good(1, general_stock=0, sale_price=Decimal(7)))
    assert _issues(database)[1, "out_of_stock"].since == past.publishes[1][0]


def test_since_begins_anew_after_a_time_without_the_issue(database: Database, past: Past) -> None:
    for stock in (0, 5, 0, 0):
        past.publish(good(1, general_stock=stock))
        past.wait(days=1)
    assert _issues(database)[1, "out_of_stock"].since == past.publishes[2][0]


def test_since_begins_anew_when_the_offer_was_gone(database: Database, past: Past) -> None:
    past.publish(good(1, general_stock=0))
    past.wait(days=1)
    past.publish()
    past.wait(days=1)
    past.publish(good(1, general_stock=0))
    assert _issues(database)[1, "out_of_stock"].since == past.publishes[2][0]


def test_another_issue_that_comes_and_goes_does_not_interrupt(database: Database, past: Past) -> None:
    for status in (1, 0, 1):
        past.publish(good(1, general_stock=0, status=status))
        past.wait(days=1)
    assert _issues(database)[1, "out_of_stock"].since == past.publishes[0][0]


def test_what_is_solved_or_gone_leaves_the_mart(database: Database, past: Past) -> None:
    past.publish(good(1, status=0), good(2, status=0), good(3, status=0))
    assert len(_issues(database)) == 3
    past.publish(good(1), good(2, status=0))
    assert _issues(database).keys() == {(2, "inactive")}


_BRAND = {"message": {"ro_RO": "Brandul nu este valid.", "en_GB": "The brand is not valid."}, "extraInfo": "Noname"}
_SAID = {
    "validation_status": [
        {"value": 9, "description": "Approved"},
        {"value": 8, "description": "Documentation rejected", "errors": {"errors": [_BRAND], "warnings": ["Scurt"]}},
    ],
    "offer_validation_status": [{"value": 2, "description": "Price out of range"}],
}


def _refused(**values: Any) -> Any:
    refused = {"validation_status": (9, 8), "offer_validation_status": 2, "validation_details": json.dumps(_SAID)}
    return good(1, **refused, **values)


def test_why_the_marketplace_refused_is_said_in_one_sentence(database: Database, past: Past) -> None:
    past.publish(_refused(doc_errors='[{"message": "Scurt"}, "Fără imagine"]'))
    refresh(database, OFFER_ISSUES, "main", language="ro")
    found = {row.issue_code: row.said for row in rows(database, "SELECT * FROM emag_offer_issues")}
    assert found == {
        "product_8": "Brandul nu este valid (Noname); Scurt; Fără imagine",
        "price_invalid": "Price out of range",
    }


def test_another_language_is_another_sentence_in_the_mart(database: Database, past: Past) -> None:
    past.publish(_refused())
    refresh(database, OFFER_ISSUES, "main", language="ro")
    assert refresh(database, OFFER_ISSUES, "main", language="de").updated == 1
    assert _issues(database)[1, "product_8"].said == "The brand is not valid (Noname); Scurt"


def test_an_issue_of_the_offer_itself_has_no_words_of_the_marketplace(database: Database, past: Past) -> None:
    past.publish(good(1, status=0, validation_details='{"validation_status": [{"value": 9, "description": "ok"}]}'))
    assert _issues(database)[1, "inactive"].said is None


def test_an_account_leaves_the_rows_of_others_alone(database: Database, past: Past) -> None:
    past.publish(good(1, status=0))
    other = Past(database, "fbe")
    other.publish(good(1, status=2))
    refresh(database, OFFER_ISSUES, "fbe")
    refresh(database, OFFER_ISSUES, "main")
    found = rows(database, "SELECT account_type, issue_code FROM emag_offer_issues ORDER BY 1")
    assert [tuple(row) for row in found] == [("fbe", "end_of_life"), ("main", "inactive")]


def test_before_the_first_publish_there_is_nothing_to_compute(database: Database) -> None:
    begin(database)
    with pytest.raises(PermanentError, match="emag-pipeline sync --account main"):
        refresh(database, OFFER_ISSUES, "main")


def test_amounts_are_added_up_in_the_accounts_currency(database: Database, past: Past) -> None:
    past.publish(
        good(1),
        good(2, status=0, sale_price=Decimal(10), general_stock=2),
        good(3, status=0, sale_price=Decimal(10), general_stock=1, currency=None),
        good(4, status=0, offer_validation_status=2, sale_price=Decimal(10000), general_stock=1000, currency="EUR"),
    )
    _issues(database)
    look = look_at(database, OFFER_ISSUES, "main")
    numbers = look.numbers
    assert (numbers["issues"], numbers["offers_with_issues"], numbers["value_held_back"]) == (4, 3, 30)
    told = (numbers["currency"], numbers["offers_in_other_currencies"], numbers["other_currencies"])
    assert told == ("RON", 1, "EUR")
    assert [row["emag_offer_id"] for row in look.sample] == [2, 3, 4, 4], "10,000,000 EUR are not ranked among lei"


def test_what_is_sold_out_loses_the_sales_of_its_pace(database: Database, past: Past) -> None:
    """Offer 2 was never seen selling, offer 3 has no price, offer 4 is held back by something else."""
    shelf = {1: 20, 2: 0, 3: 20, 4: 20, 5: 20}
    past.publish(*(good(one, general_stock=stock, sale_price=Decimal(10)) for one, stock in shelf.items()))
    past.wait(days=4)
    past.publish(
        good(1, general_stock=0, sale_price=Decimal(10), status=0),
        good(2, general_stock=0),
        good(3, general_stock=0, sale_price=None),
        good(4, general_stock=5, status=0),
        good(5, general_stock=0, sale_price=Decimal(2), currency="EUR"),
    )
    found = {key: row.sales_lost_a_day for key, row in _issues(database).items()}
    assert found == {
        (1, "inactive"): None,
        (1, "out_of_stock"): 50,
        (2, "out_of_stock"): None,
        (3, "no_price"): None,
        (3, "out_of_stock"): None,
        (4, "inactive"): None,
        (5, "out_of_stock"): 10,
    }
    assert look_at(database, OFFER_ISSUES, "main").numbers["sales_lost_a_day"] == 50
