"""`make screenshots`: the README's pictures, taken anew from a running `up` on the sandbox."""

from pathlib import Path

from emag_pipeline_tests.browser.pages import ASSET_GRAPH, CHECKS, browser_page, open_view
from emag_pipeline_tests.local.ups import up_in

_IMAGES = Path(__file__).parents[2] / "docs" / "images"


def main() -> None:
    """Start everything, wait until both accounts are published, take a picture of each view, stop."""
    _IMAGES.mkdir(parents=True, exist_ok=True)
    with up_in() as up:
        up.wait_for("all accounts are published")
        with browser_page() as page:
            for view in (ASSET_GRAPH, CHECKS):
                open_view(page, up.ui, view)
                page.wait_for_timeout(1500)  # let the graph and its transitions settle
                page.screenshot(path=_IMAGES / f"{view.name}.png")


if __name__ == "__main__":
    main()
