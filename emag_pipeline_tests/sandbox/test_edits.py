"""Any field may be edited to any JSON: it is served as it is, and the truth is told whatever it is."""

from typing import Any

import pytest

from emag_pipeline.sandbox import SandboxControl, SandboxServer
from emag_pipeline.sandbox.catalogue.validation import is_saleable
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox
from emag_pipeline_tests.sandbox.test_catalogue import FIELDS, saleable_offer
from emag_pipeline_tests.sandbox.test_shapes import FURTHER

VALUES: list[Any] = [
    None, "", "text", "5", 0, -5, 2.5, 10**30, True, [], [1], {}, {"a": 1}, {"0": {"value": 9}}, [{"value": {}}],
    "NUL \x00", "half \ud83d",
]  # fmt: skip


@pytest.fixture(params=[0, 1], ids=["as documented", "shaped"])
def odd(open_sandbox: OpenSandbox, request: pytest.FixtureRequest) -> SandboxServer:
    return open_sandbox(shape_share=request.param, quirk_share=1, accounts={"main": 3})


@pytest.mark.parametrize("field", sorted({*FIELDS, *FURTHER, "brand_new"} - {"id"}))
def test_an_edited_value_is_served_and_told_as_it_is(odd: SandboxServer, field: str) -> None:
    reader, offer_id = Reader(odd), odd.ids("main")[1]
    for value in VALUES:
        odd.edit("main", offer_id, **{field: value})
        assert reader.page()[1][field] == value
        told = odd.truth_page("main", 1)[1][field]
        assert told == value or (told is None and value in ("", 0, True)) or told == str(value).upper()
        odd.saleable_ids("main")


@pytest.mark.parametrize("row", ["nul", "price", "no_id", "huge_id", "long_name", "surrogate", "types"])
def test_an_edited_offer_can_be_poisoned(odd: SandboxServer, row: str) -> None:
    odd.edit("main", odd.ids("main")[0], name=5, description=None, sale_price=[], images="none")
    odd.add_fault("poison", row=row)
    assert len(Reader(odd).page()) == 3


@pytest.mark.parametrize("field", ["status", "general_stock", "validation_status", "part_number"])
def test_filters_survive_edits(odd: SandboxServer, field: str) -> None:
    for value in VALUES:
        odd.edit("main", odd.ids("main")[0], **{field: value})
        assert len(Reader(odd).page(1, status=1, general_stock=100_000, validation_status=9)) <= 3


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "", None),
        ("currency", " ron ", "RON"),
        ("currency", " ", None),
        ("recommended_price", 0, None),
        ("recommended_price", "0.0000", None),
        ("ownership", True, None),
        ("ownership", 2, 2),
        ("sale_price", "12,5 lei", "12,5 lei"),
        ("sale_price", "99.1234", "99.1234"),
    ],
)
def test_the_truth_tells_what_section_9_says_of_an_edited_value(
    sandbox: SandboxServer, field: str, value: Any, told: Any
) -> None:
    offer_id = sandbox.ids("main")[0]
    sandbox.edit("main", offer_id, **{field: value})
    true = sandbox.truth_offer("main", offer_id)
    assert true is not None
    assert true[field] == told


def test_an_edit_from_another_process_keeps_its_types(sandbox: SandboxServer) -> None:
    control, offer_id = SandboxControl(sandbox.url), sandbox.ids("main")[0]
    control.edit("main", offer_id, ean={"0": 594}, name="half \ud83d")
    (shown,) = Reader(sandbox).results("product_offer/read", id=offer_id)
    assert (shown["ean"], shown["name"]) == ({"0": 594}, "half \ud83d")


def test_what_is_no_json_cannot_be_edited(sandbox: SandboxServer) -> None:
    with pytest.raises(ValueError, match="not JSON serializable"):
        sandbox.edit("main", sandbox.ids("main")[0], name={1, 2})


def test_contacts_are_edited_for_pages_and_reads_by_id_alike(sandbox: SandboxServer) -> None:
    reader, offer_id = Reader(sandbox), sandbox.ids("main")[0]
    sandbox.edit("main", offer_id, manufacturer="nobody")
    by_id = reader.by_id(offer_id)
    assert by_id is not None
    assert (reader.page()[0]["manufacturer"], by_id["manufacturer"]) == ("nobody", "nobody")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"general_stock": "5"}, True),
        ({"status": "1"}, True),
        ({"validation_status": {"0": {"value": "9"}}}, True),
        ({"validation_status": {"value": 9}}, True),
        ({"offer_validation_status": {"value": 1}}, True),
        ({"sale_price": None}, False),
        ({"sale_price": 0}, False),
        ({"general_stock": "N/A"}, False),
        ({"general_stock": [5]}, False),
        ({"status": True}, False),
        ({"sale_price": "12,5 lei"}, False),
        ({"sale_price": -1}, False),
        ({"currency": ["RON"]}, False),
        ({"validation_status": "approved"}, False),
        ({"validation_status": []}, False),
        ({"translation_validation_status": {"0": {"value": 9}}}, True),
        ({"translation_validation_status": "approved"}, False),
        ({"translation_validation_status": {"a": 1}}, False),
        ({"translation_validation_status": [{"value": None}]}, False),
        ({"offer_validation_status": [{"value": 1}, {"value": 2}]}, False),
    ],
)
def test_an_edited_offer_can_be_bought_if_what_counts_can_be_read(changed: dict[str, Any], expected: bool) -> None:
    assert is_saleable(saleable_offer(**changed)) is expected
