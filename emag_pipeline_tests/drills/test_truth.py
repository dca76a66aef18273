"""The truth as it must be stored: worked out from the sandbox's words, whatever an edit made of them."""

from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.drills.judgement import as_stored
from emag_pipeline.sandbox import SandboxServer


def stored(**edits: Any) -> dict[str, Any]:
    """The columns of one offer after these edits."""
    with SandboxServer(accounts={"main": 1}, shape_share=1) as sandbox:
        (offer_id,) = sandbox.ids("main")
        if edits:
            sandbox.edit("main", offer_id, **edits)
        return as_stored(sandbox.truth_page("main", 1)[0])


def test_a_good_offer_has_every_column() -> None:
    found = stored(stock=[{"value": 3}], offer_details={"supply_lead_time": 14, "emag_club": 1})
    assert found["unreadable"] == []
    assert (found["stock_by_warehouse"], found["supply_lead_time"], found["emag_club"]) == ([{"value": 3}], 14, True)
    assert isinstance(found["min_sale_price"], Decimal)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sale_price", "12,5 lei"),
        ("currency", []),
        ("general_stock", {"a": 1}),
        ("status", True),
        ("translation_validation_status", "none"),
    ],
)
def test_an_unreadable_commercial_value_is_named_and_has_no_column(field: str, value: Any) -> None:
    found = stored(**{field: value})
    assert found["unreadable"] == [field]
    assert field not in found


@pytest.mark.parametrize(
    ("column", "edits", "expected"),
    [
        ("recommended_price", {"recommended_price": 0}, None),
        ("recommended_price", {"recommended_price": "12.34565"}, Decimal("12.3457")),
        ("best_offer_sale_price", {"best_offer_sale_price": -1}, None),
        ("general_stock", {"general_stock": "N/A"}, None),
        ("warranty", {"warranty": 2**31}, None),
        ("warranty", {"warranty": "24"}, 24),
        ("ownership", {"ownership": True}, None),
        ("ownership", {"ownership": 2}, 2),
        ("currency", {"currency": " eur "}, "EUR"),
        ("name", {"name": ["not", "a", "name"]}, None),
        ("name", {"name": "a\x00b \ud83d"}, "a\ufffdb \ufffd"),
        ("offer_validation_status", {"offer_validation_status": {"value": 2}}, 2),
        ("validation_status", {"validation_status": "approved"}, []),
        ("images", {"images": 7}, None),
        ("handling_time", {"handling_time": [{"value": "3"}]}, [{"value": 3}]),
        ("handling_time", {"handling_time": [{"value": "soon"}]}, None),
        ("characteristics", {"characteristics": [{"id": 5, "value": 12}]}, [{"id": 5, "value": "12"}]),
        ("ean", {"ean": {"0": 5941234567890}}, ["5941234567890"]),
        ("ean", {"ean": 5941234567890}, ["5941234567890"]),
        ("family_type_id", {"family": []}, None),
        ("has_manufacturer", {"manufacturer": [{"name": "x"}]}, True),
        ("doc_errors", {"doc_errors": []}, None),
        ("doc_errors", {"doc_errors": {"0": {"code": 200}}}, [{"code": 200}]),
        ("emag_club", {"offer_details": "none"}, None),
    ],
)
def test_an_edited_value_is_stored_as_far_as_it_can_be_read(column: str, edits: dict[str, Any], expected: Any) -> None:
    assert stored(**edits)[column] == expected
