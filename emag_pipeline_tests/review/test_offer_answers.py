import pytest

from emag_pipeline.review.checks import OF_OFFERS, PUBLISHED_EQUALS_SCAN, Review
from emag_pipeline.review.dagster import of_comparison, of_review

_ROW = {"emag_offer_id": 7, "what": "has no price"}


def _compared(found: int = 0, offers: int = 320, **numbers: object) -> Review:
    """Of all offers, with all of their texts, unless told otherwise."""
    least = {"texts_of_one_in": 1, "forgotten": 0}
    return _review(found, is_staged=True, offers_published=offers, **{**least, **numbers})


def _review(found: int = 0, accepted: int = 0, **numbers: object) -> Review:
    return Review(found, accepted, [_ROW][:found], [_ROW][:accepted], numbers)


@pytest.mark.parametrize(
    ("review", "passed", "said"),
    [
        (_review(), True, "holds for every offer"),
        (_review(accepted=2), True, "holds for every offer except 2 that are accepted"),
        (_review(accepted=1), True, "holds for every offer except 1 that is accepted"),
        (_review(1), False, "1 offer found: 7 has no price"),
        (_review(1, accepted=1), False, "1 offer found: 7 has no price; 1 other is accepted"),
        (_review(1200, accepted=3), False, "1,200 offers found: 7 has no price, and 1,199 more; 3 others are accepted"),
    ],
)
def test_an_answer_counts_what_was_found_and_accepted_and_gives_an_example(
    review: Review, passed: bool, said: str
) -> None:
    answer = of_review(OF_OFFERS[0], review)
    assert (answer.passed, answer.sentence) == (passed, said)
    assert ("what_to_do" in answer.result().metadata) is not passed


@pytest.mark.parametrize(
    ("review", "passed", "said"),
    [
        (
            _compared(),
            True,
            "no offer differs: 320 published offers were compared ",
        ),
        (
            _compared(offers=1),
            True,
            "no offer differs: 1 published offer was compared with ",
        ),
        (_compared(1), False, "1 offer differs: 7 has no price"),
        (
            _compared(2),
            False,
            "2 offers differ: 7 has no price, and 1 more",
        ),
        (
            _compared(offers=10_600, texts_of_one_in=2, forgotten=282),
            True,
            "no offer differs: 10,600 published offers were compared with what was read, texts of one in 2 of them; "
            "282 offers only by fingerprints, because their rows' digests are no longer stored",
        ),
        (Review(0, 0, [], [], {}, is_published=False), True, "nothing has been published yet, so there is nothing to "),
    ],
)
def test_a_comparison_says_what_was_compared_and_what_differs(review: Review, passed: bool, said: str) -> None:
    answer = of_comparison(PUBLISHED_EQUALS_SCAN, review)
    assert (answer.passed, answer.sentence[: len(said)]) == (passed, said)


@pytest.mark.parametrize(("published", "passed"), [(2, True), (1, False)])
def test_without_staging_the_ledgers_count_decides_and_the_answer_says_so(published: int, passed: bool) -> None:
    review = _review(is_staged=False, offers_in_ledger=2, offers_published=published)
    answer = of_comparison(PUBLISHED_EQUALS_SCAN, review)
    offers = "1 offer is" if published == 1 else f"{published} offers are"
    said = f"the scan is no longer staged: {offers} published, the ledger says 2"
    assert (answer.passed, answer.sentence) == (passed, said)
