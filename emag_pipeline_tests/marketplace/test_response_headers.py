from datetime import UTC, datetime

import pytest

from emag_pipeline.marketplace.responses import ResponseHeaders, response_headers


def test_headers_tell_the_rest_of_the_limit_and_the_other_sides_clock() -> None:
    headers = {
        "X-RateLimit-Limit-3second": "3",
        "X-RateLimit-Remaining-3second": " 2 ",
        "Date": "Tue, 24 Nov 2026 12:00:00 GMT",
    }
    assert response_headers(headers) == ResponseHeaders(3, 2, datetime(2026, 11, 24, 12, tzinfo=UTC))


@pytest.mark.parametrize("nonsense", ["", "many", "-1", "1e3", "9" * 30, "٣"])
def test_nonsense_counts_as_silence(nonsense: str) -> None:
    headers = dict.fromkeys(("X-RateLimit-Limit-3second", "X-RateLimit-Remaining-3second", "Date"), nonsense)
    assert response_headers(headers) == ResponseHeaders(None, None, None)
