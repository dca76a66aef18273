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


@pytest.mark.parametrize(("row", "rows"), [("same_id_twice", 101), ("same_id_instead", 100)])
def test_repeated_rows_are_kept_for_the_audit(sandbox: SandboxServer, client: Client, row: str, rows: int) -> None:
    sandbox.add_fault("poison", row=row)
    ids = [offer.emag_offer_id for offer in client.read_page(1).offers]
    assert len(ids) == rows
    assert ids[0] == ids[1]


def test_an_unreadable_offer_asked_for_by_id_is_a_reject(sandbox: SandboxServer, client: Client) -> None:
    sandbox.add_fault("poison", row="price")
    reject = client.read_offer(sandbox.ids("main")[0])
    assert isinstance(reject, Reject)
    assert reject.emag_offer_id == sandbox.ids("main")[0]
