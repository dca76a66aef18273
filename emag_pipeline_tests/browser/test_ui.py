"""What people see in the Dagster UI, in a real browser, of a real `up`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from emag_pipeline_tests.browser.pages import ASSET_GRAPH, CHECKS, CHROMIUM, PUBLISHED, browser_page, open_view
from emag_pipeline_tests.local.ups import Up

pytestmark = [pytest.mark.services, pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")]


@pytest.fixture(scope="module")
def page(published: Up) -> Iterator[Page]:
    with browser_page() as page:
        yield page


def test_the_asset_graph_shows_both_assets_filled_and_audited(published: Up, page: Page) -> None:
    open_view(page, published.ui, ASSET_GRAPH)
    for asset in ("staged_offers", "offers"):
        expect(page.get_by_text(asset, exact=True).first).to_be_visible()


def test_no_pop_up_covers_the_first_visit(published: Up, page: Page) -> None:
    open_view(page, published.ui, ASSET_GRAPH)
    assert page.get_by_role("dialog").count() == 0


def test_the_checks_of_a_scan_are_listed_with_their_sentences_and_the_proof(published: Up, page: Page) -> None:
    open_view(page, published.ui, CHECKS)
    expect(page.get_by_text("offers are accounted for").first).to_be_visible()


def test_an_accounts_numbers_stand_beside_its_materialization(published: Up, page: Page) -> None:
    open_view(page, published.ui, PUBLISHED)
    for name in ("created", "unchanged", "offers_per_second", "rate_budget_share", "proof"):
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
