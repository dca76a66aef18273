"""What the client returns is the truth of the catalogue, field by field, whatever PHP makes of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from emag_pipeline.drills.judgement import as_stored
from emag_pipeline.marketplace import Count
from emag_pipeline.model import Offer
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.columns import STAGED
from emag_pipeline.sync.staging import line
from emag_pipeline_tests.marketplace.clients import Client, client_of
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox

_VERDICTS = ("validation_status", "translation_validation_status", "offer_validation_status")
_JSON = (
    "images", "characteristics", "handling_time", "doc_errors", "validation_details", "start_date",
    "stock_by_warehouse", "availability_by_warehouse",
)  # fmt: skip
#: what the marketplace does not tell
_OURS = ("row_hash", "content_hash", "row_digest", "noticed", "raw")


def expected(true: dict[str, Any]) -> dict[str, Any]:
    """The columns of an offer, from the sandbox's truth, as far as it tells them."""
    return as_stored(true) | {
        "emag_offer_id": true["id"],
        "validation_details": {name: [_told(one) for one in true[name]] for name in _VERDICTS if true[name]},
    }


def _told(verdict: dict[str, Any]) -> dict[str, Any]:
    """A verdict as it is kept: without what the seller had sent."""
    errors = verdict.get("errors")
    if isinstance(errors, dict):
        verdict = verdict | {"errors": {name: value for name, value in errors.items() if name != "seller_input"}}
    return {name: value for name, value in verdict.items() if value is not None}


def columns(offer: Offer) -> dict[str, Any]:
    """The same of an offer as read."""
    found = {name: getattr(offer, name) for name in STAGED if name not in _OURS}
    lists = {name: list(value) for name, value in found.items() if isinstance(value, tuple)}
    return found | lists | {name: None if found[name] is None else json.loads(found[name]) for name in _JSON}


def read_all(client: Client) -> list[Offer]:
    pages = [client.read_page(number) for number in range(1, -(-client.count().rows // 100) + 1)]
    assert not any(page.rejects for page in pages)
    return [offer for page in pages for offer in page.offers]


@pytest.fixture(params=[(1, 0), (1, 1), (2, 1), (3, 1)], ids=str)
def catalogue(request: pytest.FixtureRequest) -> Iterator[tuple[SandboxServer, Client]]:
    seed, share = request.param
    sizes = {"main": 1250}
    with (
        unlimited_sandbox(seed=seed, accounts=sizes, quirk_share=share) as box,
        client_of(box.url, password="sandbox") as client,
    ):
        yield box, client


def test_every_offer_is_the_true_one(catalogue: tuple[SandboxServer, Client]) -> None:
    sandbox, client = catalogue
    offers = read_all(client)
    assert [columns(offer) for offer in offers] == [expected(true) for true in sandbox.truth("main")]
    assert [offer.emag_offer_id for offer in offers if offer.is_saleable] == sandbox.saleable_ids("main")
    assert all(line([getattr(offer, name) for name in STAGED]) for offer in offers)


def test_quirks_change_no_fingerprint(sandbox: SandboxServer, client: Client) -> None:
    def fingerprints() -> list[tuple[bytes, bytes]]:
        return [(offer.row_hash, offer.content_hash) for offer in read_all(client)]

    sandbox.settings(quirk_share=0)
    plain = fingerprints()
    sandbox.settings(quirk_share=1)
    assert fingerprints() == plain


def test_a_read_by_id_gives_the_same_offer_as_its_page(sandbox: SandboxServer, client: Client) -> None:
    for offer in client.read_page(1).offers[:30]:
        by_id = client.read_offer(offer.emag_offer_id)
        assert isinstance(by_id, Offer)
        assert (by_id.row_hash, by_id.content_hash) == (offer.row_hash, offer.content_hash)


def test_an_offer_that_is_not_there_is_none(client: Client) -> None:
    assert client.read_offer(4_000_000_000) is None


def test_the_count_may_come_as_text(sandbox: SandboxServer, client: Client) -> None:
    sandbox.settings(quirk_share=1)
    assert client.count() == Count(rows=250, items_per_page=1)


def test_a_page_behind_the_last_is_empty(client: Client) -> None:
    page = client.read_page(4)
    assert (page.number, page.offers, page.rejects) == (4, (), ())


def test_pages_of_any_size_show_the_same_listing(client: Client) -> None:
    ids = [one for number in (1, 2, 3) for one in client.read_page(number).ids]
    assert [one for number in range(1, 14) for one in client.read_page(number, 20).ids] == ids
    assert [client.rows_at(position) for position in (0, 249, 250)] == [1, 1, 0]


def test_an_unchanged_page_has_the_same_fingerprint_and_a_changed_one_another(
    sandbox: SandboxServer, client: Client
) -> None:
    before = client.read_page(1)
    assert client.read_page(1).content_hash == before.content_hash
    sandbox.edit("main", before.offers[50].emag_offer_id, general_stock=4321)
    assert client.read_page(1).content_hash != before.content_hash


def test_a_page_knows_when_it_was_fetched(client: Client) -> None:
    page = client.read_page(1)
    assert page.fetched_at.utcoffset() is not None
    assert page.fetched_at >= client.records[0].sent_at


def test_each_call_is_recorded(client: Client) -> None:
    client.count()
    client.read_page(2)
    client.read_offer(4_000_000_000)
    assert [
        (one.resource, one.page, one.page_size, one.offer_id, one.status, one.outcome) for one in client.records
    ] == [
        ("product_offer/count", None, 1, None, 200, "ok"),
        ("product_offer/read", 2, 100, None, 200, "ok"),
        ("product_offer/read", None, None, 4_000_000_000, 200, "ok"),
    ]
    assert all(one.error_body is None and one.account_type == "main" for one in client.records)
    assert client.records[1].bytes > 100_000
