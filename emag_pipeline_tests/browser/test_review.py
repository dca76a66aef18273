"""A reviewer at work in the Dagster UI: refresh an account, watch the run, open its checks, find the row that fails."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Page, expect

from emag_pipeline.sandbox import SandboxControl
from emag_pipeline_tests.browser.pages import CHROMIUM, browser_page
from emag_pipeline_tests.local.ups import Up, wait_until

pytestmark = [pytest.mark.services, pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")]

_GROUP = "/locations/emag_pipeline/asset-groups/offers/lineage"
_CHECK = "/assets/offers?view=checks&checkDetail=ean_check_digits_are_right"
_WRONG_EAN = "5941234567890"


@pytest.fixture(scope="module")
def reviewed(published: Up) -> Iterator[tuple[Page, int]]:
    """The page after fbe was refreshed by hand, and the offer that had got a wrong EAN before."""
    sandbox = SandboxControl(published.sandbox_url)
    offer_id = sandbox.ids("fbe")[3]
    sandbox.edit("fbe", offer_id, ean=[_WRONG_EAN])
    with browser_page() as page:
        page.goto(published.ui + _GROUP)
        page.get_by_role("button", name="Materialize all").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_text("Select a partition").first.click()
        page.get_by_role("menuitem").filter(has_text="fbe").first.click()
        page.keyboard.press("Escape")
        dialog.get_by_role("button", name="Launch 1 run").click()
        link = page.locator("a[href^='/runs/']:not([href*='?'])").first
        expect(link).to_be_visible()
        page.goto(published.ui + str(link.get_attribute("href")))
        yield page, offer_id


def test_the_run_that_the_reviewer_started_is_watched_to_its_success(reviewed: tuple[Page, int]) -> None:
    page, _ = reviewed
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()


def _open_the_answer_about_fbe(page: Page, ui: str) -> None:
    """The check's page shows the newest answer, which is none while the marts' job asks it again after the publish."""

    def is_shown() -> bool:
        page.goto(ui + _CHECK)
        with suppress(AssertionError):
            expect(page.get_by_text("fbe", exact=True).first).to_be_visible(timeout=5_000)
            return True
        return False

    wait_until(is_shown, 120, lambda: page.locator("body").inner_text())


def test_the_check_says_what_holds_and_shows_the_row_that_fails(published: Up, reviewed: tuple[Page, int]) -> None:
    page, offer_id = reviewed
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    _open_the_answer_about_fbe(page, published.ui)
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible()
    for shown in (str(offer_id), _WRONG_EAN):
        expect(page.get_by_text(shown).first).to_be_visible()
