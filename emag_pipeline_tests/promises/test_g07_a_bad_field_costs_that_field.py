"""G7: a bad field costs that field, a row without a usable id that row, never the sync.

It is noticed, or quarantined with payload and reason; past a tolerance the audit refuses the scan.
"""

import json
from typing import Any

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.refresh import Contexts, refresh, refused
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly, expected, published

_POISONS = ("nul", "price", "no_id", "huge_id", "same_id_twice", "long_name", "surrogate", "types")
#: those that spoil a field of the row and leave its id
_OF_FIELDS = {
    "nul": {("name", "unstorable text")},
    "surrogate": {("description", "unstorable text")},
    "price": {("sale_price", "unexpected type")},
    "types": {(name, "unexpected type") for name in ("images", "name", "sale_price", "status")},
}
_REJECTS = "SELECT emag_offer_id, reason, payload FROM emag_offer_rejects ORDER BY reject_id"
_SURPRISES = "SELECT field, kind FROM emag_answer_surprises"
_OFFER = "SELECT * FROM emag_product_offers WHERE emag_offer_id = :id"


def _state(database: Database, offer_id: int) -> Any:
    return rows(database, _OFFER, id=offer_id)[0]


def _assert_the_others_are_exact(database: Database, market: SandboxServer, spoilt: int) -> None:
    saleable = set(market.saleable_ids("main"))
    stored = {row["emag_offer_id"]: row for row in published(database, "main")}
    for offer in market.truth("main"):
        if offer["id"] != spoilt:
            wanted = expected(offer, offer["id"] in saleable)
            assert {name: stored[offer["id"]][name] for name in wanted} == wanted


@pytest.mark.parametrize("row", _POISONS)
def test_g7_of_a_first_scan_a_poisoned_row_costs_at_most_itself(
    small: SandboxServer, database: Database, main: Contexts, row: str
) -> None:
    spoilt = small.ids("main")[150]
    small.add_fault("poison", row=row, offer_ids=[spoilt])
    refresh(main())
    _assert_the_others_are_exact(database, small, spoilt)
    kept = rows(database, _REJECTS)
    stored = {row["emag_offer_id"] for row in published(database, "main")}
    assert spoilt in stored or kept, "the row is neither published nor in quarantine"
    for reject in kept:
        assert reject.reason
        assert json.loads(reject.payload)["part_number"]


@pytest.mark.usefixtures("already_published")
@pytest.mark.parametrize("row", [*_POISONS, "same_id_instead"])
def test_g7_of_a_published_account_a_poisoned_row_costs_no_offer(
    small: SandboxServer, database: Database, main: Contexts, row: str
) -> None:
    spoilt = small.ids("main")[150]
    small.add_fault("poison", row=row, offer_ids=[spoilt])
    refresh(main())
    assert {row["emag_offer_id"] for row in published(database, "main")} == set(small.ids("main"))
    _assert_the_others_are_exact(database, small, spoilt)


@pytest.mark.parametrize("row", _OF_FIELDS)
def test_g7_a_bad_field_costs_that_field_and_is_noticed(
    small: SandboxServer, database: Database, main: Contexts, row: str
) -> None:
    spoilt = small.ids("main")[100]
    small.add_fault("poison", row=row, offer_ids=[spoilt])
    done = refresh(main()).published
    assert (done.quarantined, done.offers) == (0, small.count("main"))
    stored = {row["emag_offer_id"]: row for row in published(database, "main")}[spoilt]
    (true,) = [offer for offer in small.truth("main") if offer["id"] == spoilt]
    wanted = expected(true, spoilt in small.saleable_ids("main"))
    differing = {name for name, value in wanted.items() if stored[name] != value}
    fields = {field for field, _ in _OF_FIELDS[row]}
    assert fields - {"status"} <= differing <= fields | {"unreadable", "is_saleable", "ean"}
    assert {tuple(one) for one in rows(database, _SURPRISES)} >= _OF_FIELDS[row]


@pytest.mark.usefixtures("already_published")
@pytest.mark.parametrize(("row", "unreadable"), [("price", ["sale_price"]), ("types", ["sale_price", "status"])])
def test_g7_a_commercial_field_that_becomes_unreadable_keeps_its_last_good_value_and_is_named(
    small: SandboxServer, database: Database, main: Contexts, row: str, unreadable: list[str]
) -> None:
    spoilt = small.saleable_ids("main")[50]
    good = _state(database, spoilt)
    small.edit("main", spoilt, sale_price=1.5, general_stock=7)
    small.add_fault("poison", row=row, offer_ids=[spoilt])
    refresh(main())
    kept = _state(database, spoilt)
    assert (kept.sale_price, kept.status, kept.general_stock) == (good.sale_price, good.status, 7)
    assert (kept.is_saleable, kept.unreadable, kept.rejected_at) == (False, unreadable, None)
    small.clear_faults()
    refresh(main())
    assert_published_exactly(database, small, "main")


@pytest.mark.usefixtures("already_published")
@pytest.mark.parametrize("row", ["no_id", "huge_id"])
def test_g7_an_offer_whose_new_version_is_rejected_keeps_its_last_good_state_flagged(
    small: SandboxServer, database: Database, main: Contexts, row: str
) -> None:
    spoilt = small.ids("main")[100]
    good = _state(database, spoilt)
    small.edit("main", spoilt, sale_price=1.5, general_stock=7)
    small.add_fault("poison", row=row, offer_ids=[spoilt])
    refresh(main())
    kept = _state(database, spoilt)
    assert kept.rejected_at is not None
    assert (kept.sale_price, kept.general_stock, kept.deleted_at) == (good.sale_price, good.general_stock, None)
    small.clear_faults()
    refresh(main())
    assert _state(database, spoilt).rejected_at is None
    assert_published_exactly(database, small, "main")


def test_g7_payload_and_reason_of_a_bad_row_are_kept(small: SandboxServer, database: Database, main: Contexts) -> None:
    spoilt = small.ids("main")[0]
    small.add_fault("poison", row="no_id", pages=[1])
    done = refresh(main())
    (true,) = [offer for offer in small.truth("main") if offer["id"] == spoilt]
    (reject, *_) = rows(database, _REJECTS)
    assert reject.reason == "id is missing"
    assert json.loads(reject.payload)["part_number"] == true["part_number"]
    assert (done.published.quarantined, done.published.offers) == (1, 319)


@pytest.mark.parametrize(("row", "lost"), [("no_id", 4), ("price", 0)])
def test_g7_a_scan_with_more_bad_rows_than_tolerated_is_refused_and_nothing_is_published(
    small: SandboxServer, database: Database, main: Contexts, row: str, lost: int
) -> None:
    small.add_fault("poison", row=row, rows=4, pages=[1])
    audit = refused(main())
    assert [verdict.name for verdict in audit.verdicts if not verdict.passed] == ["rejects_within_tolerance"]
    assert published(database, "main") == []
    small.advance(changes=1, account="main")
    refresh(main(EMAG_SYNC_REJECT_TOLERANCE="0.02"))
    assert len(published(database, "main")) == small.count("main") - lost
