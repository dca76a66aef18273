import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from emag_pipeline.admin.explain import conditions, explain
from emag_pipeline.admin.history import OfferState
from emag_pipeline.errors import SettingsError
from emag_pipeline.marketplace.normalise import is_saleable
from emag_pipeline.marts.issue_words import ISSUES
from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import OFFER_ISSUES
from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.pasts import Past, good, random_past
from emag_pipeline_tests.sync.syncs import rows, sync

_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_CODES = [(), *((code,) for code in range(19)), (9, 8), (3, 11, 12)]
#: stock, sale price, status, price, product, translation: all codes of an offer that can be bought, all else with some
_STANDINGS = [
    *product((5,), ("9.5",), (1,), (1,), _CODES, _CODES, ((),)),
    *product(
        (None, 0, 5),
        (None, "0", "9.5"),
        (None, 0, 1, 2, 3),
        (None, 1, 2),
        ((), (9,), (8,)),
        ((), (17,), (14,)),
        ((), ("currency",)),
    ),
]
_NAMES = (
    "general_stock", "sale_price", "status", "offer_validation_status", "validation_status",
    "translation_validation_status", "unreadable",
)  # fmt: skip
#: What each condition shows, as the history has it.
_SHOWN = {
    "in stock": "general_stock",
    "active": "status",
    "priced": "(sale_price, currency)",
    "price accepted": "offer_validation_status",
    "product accepted": "validation_status",
    "translation accepted": "translation_validation_status",
    "fields readable": "unreadable",
}
_BEGAN = """
    WITH states AS (
        SELECT valid_from, lag(valid_to) OVER past AS ended, ({shown})::text AS shown,
               lag(({shown})::text) OVER past AS before
        FROM emag_offer_history WHERE account_type = 'main' AND emag_offer_id = :offer
        WINDOW past AS (ORDER BY valid_from)
    )
    SELECT max(valid_from) AS at FROM states
    WHERE ended IS DISTINCT FROM valid_from OR shown IS DISTINCT FROM before
"""
_ASK = """
    SELECT emag_issue_codes(status, stock, sale_price, price, product, translation, unreadable) AS codes
    FROM jsonb_to_recordset(CAST(:asked AS jsonb)) AS x (
        place integer, stock bigint, sale_price numeric, status smallint, price smallint, product smallint[],
        translation smallint[], unreadable text[])
    ORDER BY place
"""


def _state(**values: Any) -> OfferState:
    columns = dict.fromkeys(OfferState.__slots__)
    standing = {"valid_from": _NOW, "issue_codes": (), "validation_status": (9,)}
    standing |= {"translation_validation_status": (), "unreadable": ()}
    return OfferState(**{**columns, **standing, **values})


def test_all_conditions_hold_exactly_when_an_offer_can_be_bought(database: Database) -> None:
    columns = ("place", "stock", "sale_price", "status", "price", "product", "translation", "unreadable")
    asked = [dict(zip(columns, (place, *one), strict=True)) for place, one in enumerate(_STANDINGS)]
    for values, row in zip(_STANDINGS, rows(database, _ASK, asked=json.dumps(asked)), strict=True):
        standing = dict(zip(_NAMES, values, strict=True))
        standing["sale_price"] = standing["sale_price"] and Decimal(standing["sale_price"])
        found = conditions([_state(**standing, issue_codes=tuple(row.codes))], {})
        assert all(condition.holds for condition in found) == is_saleable(**standing), standing


def test_every_reason_belongs_to_one_condition() -> None:
    codes = {*ISSUES, "product_99", "translation_-3"}
    found = conditions([_state(issue_codes=tuple(codes))], {})
    told = [why.code for condition in found for why in condition.reasons]
    assert sorted(told) == sorted(codes)


def test_reasons_and_since_when_are_those_of_the_mart_and_values_those_of_the_history(database: Database) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")
    past = random_past(database, seed)
    refresh(database, OFFER_ISSUES, "main")
    for offer_id in past.now:
        mart = rows(
            database,
            """SELECT issue_code, reason, remedy, since FROM emag_offer_issues
               WHERE emag_offer_id = :offer ORDER BY 1""",
            offer=offer_id,
        )
        reasons = [why for condition in explain(database, "main", offer_id).conditions for why in condition.reasons]
        told = [(why.code, why.issue.reason, why.issue.remedy, why.since) for why in reasons]
        assert sorted(told) == [tuple(row) for row in mart], offer_id
        for condition in explain(database, "main", offer_id).conditions:
            ((began,),) = rows(database, _BEGAN.format(shown=_SHOWN[condition.name]), offer=offer_id)
            assert condition.value_since == began, (offer_id, condition.name)


def test_a_condition_holds_since_its_last_break(database: Database) -> None:
    past = Past(database)
    past.publish(good(1))
    past.wait(days=2)
    past.publish(good(1, general_stock=0))
    past.wait(days=2)
    past.publish(good(1, general_stock=0, status=0, sale_price=Decimal("9.5")))
    sold_out, switched_off = (at for at, _ in past.publishes[1:])
    found = explain(database, "main", 1)
    assert not found.can_be_bought
    assert found.since == sold_out
    assert {condition.name: (condition.holds, condition.since) for condition in found.conditions} == {
        "in stock": (False, sold_out),
        "active": (False, switched_off),
        "priced": (True, past.publishes[0][0]),
        "price accepted": (True, past.publishes[0][0]),
        "product accepted": (True, past.publishes[0][0]),
        "translation accepted": (True, past.publishes[0][0]),
        "fields readable": (True, past.publishes[0][0]),
    }


def test_an_absence_is_a_break(database: Database) -> None:
    past = Past(database)
    past.publish(good(1), good(2))
    past.wait(days=1)
    past.publish(good(2))
    past.wait(days=1)
    back = past.publish(good(1), good(2))
    found = explain(database, "main", 1)
    assert (found.can_be_bought, found.since) == (True, back)


def test_an_offer_that_is_gone_cannot_be_bought_whatever_its_conditions_were(database: Database) -> None:
    past = Past(database)
    past.publish(good(1), good(2))
    gone = past.publish(good(2))
    found = explain(database, "main", 1)
    assert (found.can_be_bought, found.offer.deleted_at) == (False, gone)
    assert all(condition.holds for condition in found.conditions)


_REFUSED = [
    {"value": 9, "description": "Documentation approved"},
    {
        "value": 8,
        "description": "Documentation rejected",
        "errors": {"errors": [{"code": 1, "message": {"ro_RO": "Prea\n scurtă\u001b", "en_GB": "Too short"}}]},
    },
]


def _said(database: Database, language: str | None = None, **values: Any) -> dict[str, tuple[str, ...]]:
    details = {"validation_status": _REFUSED, "offer_validation_status": [{"value": 1, "description": "Saleable"}]}
    sync(database, [good(1, validation_status=(9, 8), validation_details=json.dumps(details), **values)])
    return {condition.name: condition.said for condition in explain(database, "main", 1, language).conditions}


def test_why_it_was_refused_stands_with_its_condition_in_one_line(database: Database) -> None:
    said = _said(database, "ro", doc_errors='{"text": ["Lipsesc caracteristici", "Prea scurtă"]}')
    assert said["product accepted"] == ("Prea scurtă; Lipsesc caracteristici",)
    assert (said["price accepted"], said["translation accepted"], said["in stock"]) == (("Saleable",), (), ())


def test_the_marketplace_is_quoted_in_english_where_no_language_is_known(database: Database) -> None:
    assert _said(database)["product accepted"] == ("Too short",)


def test_what_the_marketplace_says_is_what_the_mart_says(database: Database) -> None:
    (told,) = _said(database, "ro")["product accepted"]
    refresh(database, OFFER_ISSUES, "main", language="ro")
    (row,) = rows(database, "SELECT said FROM emag_offer_issues WHERE issue_code = 'product_8'")
    assert row.said == told


def _bad(offer_id: int, reason: str) -> Reject:
    return Reject(offer_id, reason, "{}")


def test_of_an_offer_whose_reading_is_in_quarantine_the_newest_reason_is_told(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    for reason in ("the price is not a number", "the stock is too large"):
        sync(database, [offer(2)], rejects=[_bad(1, reason)])
    found = explain(database, "main", 1)
    assert found.rejection is not None
    assert found.rejection.reason == "the stock is too large"
    sync(database, [offer(1), offer(2)])
    assert explain(database, "main", 1).rejection is None


def test_how_current_the_copy_is_is_told_by_the_accounts_last_publish(database: Database) -> None:
    past = Past(database)
    past.publish(good(1))
    past.wait(hours=7)
    found = explain(database, "main", 1)
    assert found.account.last_publish_at == past.published_at
    assert found.account.age_seconds is not None
    assert timedelta(seconds=found.account.age_seconds) >= timedelta(hours=7)


def test_an_offer_that_was_never_published_is_told_from_one_that_there_is_not(database: Database) -> None:
    with pytest.raises(SettingsError, match=r"about the offer: the account was never published. Run `emag-pip"):
        explain(database, "main", 1)
    sync(database, [offer(1)], rejects=[_bad(2, "the price is not a number")])
    with pytest.raises(SettingsError, match=r"never published: it was quarantined .*: the price is not a nu"):
        explain(database, "main", 2)
    with pytest.raises(SettingsError, match=r"main, offer 3: the offer does not exist: no scan up to .* Check the acc"):
        explain(database, "main", 3)
