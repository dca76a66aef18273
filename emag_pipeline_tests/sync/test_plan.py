import re

import pytest

from emag_pipeline.errors import PageBoundExceeded
from emag_pipeline.sync.plan import bounded, larger


@pytest.mark.parametrize(("offers", "pages"), [(0, 0), (1, 1), (100, 1), (101, 2), (10_000, 100)])
def test_a_catalogue_is_bounded_in_pages_of_a_hundred_offers(offers: int, pages: int) -> None:
    assert bounded("main", offers, 100) == pages


def test_a_catalogue_beyond_the_page_bound_is_refused_with_the_value_that_is_needed() -> None:
    said = (
        "main: the catalogue has 12,345 offers = 124 pages, EMAG_SYNC_MAX_PAGES is 100: nothing was read. "
        "Set it to 130 or more, which leaves room for 6 more pages."
    )
    with pytest.raises(PageBoundExceeded, match=re.escape(said)):
        bounded("main", 12_345, 100)


def test_the_next_larger_size_is_at_most_the_one_that_was_asked_for() -> None:
    assert [larger(size, 100) for size in (1, 5, 20, 50, 100)] == [5, 10, 50, 100, 100]
    assert larger(20, 30) == 30
