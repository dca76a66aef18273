import pytest

from emag_pipeline.wording import age


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (59.9, "59 seconds"), (60, "1 minute"), (7200, "2 hours"), (200_000, "2 days")],
)
def test_an_age_is_told_in_its_largest_fitting_unit(seconds: float, words: str) -> None:
    assert age(seconds) == words
