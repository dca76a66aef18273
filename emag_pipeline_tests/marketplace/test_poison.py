"""A bad field costs that field, a row without a usable id costs that row (G7)."""

import pytest

from emag_pipeline.model import Offer, Reject
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.marketplace.clients import Client


@pytest.mark.parametrize(
    ("row", "noticed"),
    [
        ("nul", [("name", "unstorable text")]),
        ("surrogate", [("description", "unstorable text")]),
        ("price", [("sale_price", "unexpected type")]),
        ("types", [(name, "unexpected type") for name in ("images", "name", "sale_price", "status")]),
    ],
)
def test_a_poisoned_field_costs_that_field_and_is_noticed(
    sandbox: SandboxServer, client: Client, row: str, noticed: list[tuple[str, str]]
) -> None:
    sandbox.add_fault("poison", row=row, rows=2)
    page = client.read_page(1)
    assert [offer.emag_offer_id for offer in page.offers] == sandbox.ids("main")[:100]
    assert sorted((one.field, one.kind) for one in page.surprises) == noticed
    assert {one.times for one in page.surprises} == {2}


@pytest.mark.parametrize(("row", "reason"), [("no_id", "id is missing"), ("huge_id", "id is ")])
def test_a_row_without_a_usable_id_costs_exactly_itself(
    sandbox: SandboxServer, client: Client, row: str, reason: str
) -> None:
    sandbox.add_fault("poison", row=row, rows=2)
    page = client.read_page(1)
    assert [offer.emag_offer_id for offer in page.offers] == sandbox.ids("main")[2:100]
    assert all(reject.reason.startswith(reason) for reject in page.rejects)
    assert [reject.emag_offer_id for reject in page.rejects] == [None, None]


def test_a_very_long_name_is_no_poison(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("poison", row="long_name")
    page = client.read_page(1)
    assert len(page.offers) == 100
    assert len(page.offers[0].name or "") > 90_000


def test_of_an_id_that_stands_twice_on_a_page_the_first_row_counts(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("poison", row="same_id_instead")
    page = client.read_page(1)
    first = sandbox.ids("main")[0]
    assert len({offer.emag_offer_id for offer in page.offers}) == len(page.offers) == 99
    assert [(reject.emag_offer_id, reject.reason) for reject in page.rejects] == [
        (first, f"id {first} appears on this page already")
    ]


def test_an_offer_asked_for_by_id_may_have_unreadable_fields(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("poison", row="price")
    offer = client.read_offer(sandbox.ids("main")[0])
    assert isinstance(offer, Offer)
    assert offer.unreadable == ("sale_price",)


def test_a_row_asked_for_by_id_that_has_none_is_a_reject(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("poison", row="no_id")
    assert isinstance(client.read_offer(sandbox.ids("main")[0]), Reject)
