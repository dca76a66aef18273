"""The pages of the Dagster UI that people open first, and what must be seen on each before it has loaded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Page, expect, sync_playwright

#: A busy machine loads the UI's first page for a minute.
_PATIENCE_MILLISECONDS = 120_000

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass(frozen=True, slots=True)
class View:
    """One page of the UI: its path, texts that show that it has loaded, and a name for its picture."""

    name: str
    path: str
    texts: tuple[str, ...]


ASSET_GRAPH = View("asset-graph", "/locations/emag_pipeline/asset-groups/offers/lineage", ("5 / 5 Passed", "100%"))
CHECKS = View(
    "checks",
    "/assets/staged_offers?view=checks&checkDetail=scan_is_complete",
    (
        "scan_is_complete",
        "offer_ids_are_unique",
        "rejects_within_tolerance",
        "volume_has_not_collapsed",
        "count_agrees",
    ),
)
PUBLISHED = View("published", "/assets/offers?view=partitions&partition=main", ("published_at", "dagster/row_count"))


@contextmanager
def browser_page() -> Iterator[Page]:
    """A page of a headless Chromium that calls nobody but the address it is given."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )
        page = browser.new_page(viewport={"width": 1500, "height": 900})
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        expect.set_options(timeout=_PATIENCE_MILLISECONDS)
        yield page
        browser.close()


def open_view(page: Page, base: str, view: View) -> None:
    """Open a view and wait until it shows what it has to show."""
    page.goto(base + view.path)
    for text in view.texts:
        expect(page.get_by_text(text).first).to_be_visible()
