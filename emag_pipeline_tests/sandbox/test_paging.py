"""Pages and counts (docs/marketplace-api.md, "Pages, counts and order")."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox


def test_the_count_tells_items_pages_and_page_size(reader: Reader) -> None:
    assert reader.results("product_offer/count") == {"noOfItems": 250, "noOfPages": 3, "itemsPerPage": 100}


def test_the_count_of_pages_follows_the_page_size(reader: Reader) -> None:
    assert reader.results("product_offer/count", itemsPerPage=40)["noOfPages"] == 7


def test_pages_hold_what_the_count_promises(reader: Reader) -> None:
    assert [len(reader.page(number)) for number in (1, 2, 3)] == [100, 100, 50]


def test_an_unnumbered_page_is_the_first(reader: Reader) -> None:
    assert reader.results("product_offer/read") == reader.page(1)


def test_small_pages_tile_the_large_one(reader: Reader) -> None:
    small = [offer_id for number in range(1, 6) for offer_id in reader.ids(number, itemsPerPage=20)]
    assert small == reader.ids(1)


def test_a_page_past_the_end_is_empty(reader: Reader) -> None:
    assert reader.page(4) == []


def test_an_empty_catalogue_has_no_pages(open_sandbox: OpenSandbox) -> None:
    reader = Reader(open_sandbox(accounts={"main": 0}))
    assert reader.results("product_offer/count")["noOfPages"] == 0
    assert reader.page(1) == []


@pytest.mark.parametrize("size", [0, -1, 101, "many"])
def test_a_page_size_out_of_bounds_is_refused(reader: Reader, size: object) -> None:
    assert "itemsPerPage" in reader.refusal(itemsPerPage=size)


@pytest.mark.parametrize("number", [0, -1, "first", True])
def test_a_page_number_below_one_or_no_number_is_refused(reader: Reader, number: object) -> None:
    assert "currentPage" in reader.refusal(currentPage=number)


def test_numbers_may_come_as_text(reader: Reader) -> None:
    rows = reader.results("product_offer/read", currentPage="2", itemsPerPage="10")
    assert [row["id"] for row in rows] == reader.ids(2, itemsPerPage=10)


@pytest.mark.parametrize("order", ["id", "id_desc", "shuffled"])
def test_every_order_shows_each_offer_once(sandbox: SandboxServer, reader: Reader, order: str) -> None:
    ascending = sorted(sandbox.ids("main"))
    sandbox.settings(order=order)
    assert sorted(reader.all_ids()) == ascending


def test_the_orders_differ_as_their_names_say(sandbox: SandboxServer) -> None:
    ascending = sandbox.ids("main")
    sandbox.settings(order="id_desc")
    descending = sandbox.ids("main")
    sandbox.settings(order="shuffled")
    shuffled = sandbox.ids("main")
    assert ascending == sorted(ascending) == descending[::-1]
    assert shuffled not in (ascending, descending)


def test_eight_threads_read_each_of_1200_offers_exactly_once(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(accounts={"main": 1200})
    with ThreadPoolExecutor(8) as threads:
        pages = list(threads.map(lambda number: Reader(sandbox).ids(number), range(1, 13)))
    seen = [offer_id for page in pages for offer_id in page]
    assert sorted(seen) == sandbox.ids("main")
    assert len(set(seen)) == 1200


def test_a_million_offers_start_at_once_and_show_their_last_page(open_sandbox: OpenSandbox) -> None:
    begun = time.process_time()
    reader = Reader(open_sandbox(accounts={"main": 1_000_000}))
    assert time.process_time() - begun < 2
    assert len(reader.page(10_000)) == 100
    assert reader.page(10_001) == []


def test_a_million_shuffled_offers_still_show_page_10000(open_sandbox: OpenSandbox) -> None:
    reader = Reader(open_sandbox(accounts={"main": 1_000_000}, order="shuffled"))
    assert len(set(reader.ids(10_000))) == 100
