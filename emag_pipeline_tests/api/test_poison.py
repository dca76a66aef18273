"""A bad row costs that row (G7)."""

import pytest

from emag_pipeline.api import Reject
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.api.clients import Client


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nul", "name holds NUL"),
        ("price", "sale_price is '12,34,56 lei', not a number"),
        ("no_id", "id is missing"),
        ("huge_id", "id is "),
        ("surrogate", "description holds half of a surrogate pair"),
        ("types", 'status is {"value":1}, not a whole number'),
    ],
)
def test_poison_costs_exactly_its_row(sandbox: SandboxServer, client: Client, row: str, reason: str) -> None:
    sandbox.add_fault("poison", row=row, rows=2)
    ids = sandbox.ids("main")
    page = client.read_page(1)
    assert [offer.emag_offer_id for offer in page.offers] == ids[2:100]
    assert all(reject.reason.startswith(reason) for reject in page.rejects)
    named = [None, None] if row in ("no_id", "huge_id") else ids[:2]
    assert [reject.emag_offer_id for reject in page.rejects] == named


def test_a_very_long_name_is_no_poison(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("poison", row="long_name")
    page = client.read_page(1)
    assert len(page.offers) == 100
    assert len(page.offers[0].name or "") > 90_000


@pytest.mark.parametrize(("row", "offers"), [("same_id_twice", 100), ("same_id_instead", 99)])
def test_of_an_id_that_stands_twice_on_a_page_the_first_row_counts(
    sandbox: SandboxServer, client: Client, row: str, offers: int
) -> None:
    sandbox.add_fault("poison", row=row)
    page = client.read_page(1)
    first = sandbox.ids("main")[0]
    assert len({offer.emag_offer_id for offer in page.offers}) == len(page.offers) == offers
    assert [(reject.emag_offer_id, reject.reason) for reject in page.rejects] == [
        (first, f"id {first} stands on this page already")
    ]


def test_an_unreadable_offer_asked_for_by_id_is_a_reject(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("poison", row="price")
    reject = client.read_offer(sandbox.ids("main")[0])
    assert isinstance(reject, Reject)
    assert reject.emag_offer_id == sandbox.ids("main")[0]
