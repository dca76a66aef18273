import re

import pytest

from emag_pipeline.errors import PageBoundExceeded
from emag_pipeline.sync.plan import plan_scan


@pytest.mark.parametrize(("offers", "pages"), [(0, 0), (1, 1), (100, 1), (101, 2), (10_000, 100)])
def test_a_page_holds_a_hundred_offers(offers: int, pages: int) -> None:
    assert plan_scan("main", offers, 100).pages == pages


def test_a_catalogue_beyond_the_page_bound_is_refused_with_the_value_that_is_needed() -> None:
    said = (
        "main: the catalogue has 12,345 offers = 124 pages, EMAG_SYNC_MAX_PAGES is 100: nothing was read. "
        "Set it to 130 or more."
    )
    with pytest.raises(PageBoundExceeded, match=re.escape(said)):
        plan_scan("main", 12_345, 100)
