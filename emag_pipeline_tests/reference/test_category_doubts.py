"""What speaks against a reading of all categories; counts and pages that lie: reference/test_refresh.py."""

from emag_pipeline.marketplace import Category, Rows
from emag_pipeline.reference.read import ReferenceReading, doubts


def _reading(language: str, *keys: int, unreadable: tuple[str, ...] = (), beyond: int = 0) -> ReferenceReading:
    rows = tuple(Category(key, f"{language} {key}", None, True, False, False, "{}") for key in keys)
    return ReferenceReading(language, Rows(rows, unreadable), beyond)


def test_readings_that_show_what_is_counted_leave_no_doubt() -> None:
    assert list(doubts([_reading("ro", 1, 2), _reading("en", 2, 1)], 2, 2)) == []


def test_a_category_that_slipped_past_one_reading_shows_in_the_other() -> None:
    against = doubts([_reading("ro", 1, 2), _reading("en", 1, 3)], 2, 2)
    assert list(against) == ["ro and en show different categories"]


def test_a_row_that_cannot_be_read_counts_and_may_be_any_category() -> None:
    assert list(doubts([_reading("ro", 1, 2), _reading("en", 1, unreadable=("id is missing",))], 2, 2)) == []


def test_every_number_that_does_not_fit_is_told() -> None:
    assert list(doubts([_reading("en", 1, 1, beyond=3)], 2, 4)) == [
        "the marketplace counted 2 categories before the reading and 4 after it",
        "1 row (en) shows a category that another row had shown already",
        "the marketplace counts 2 categories, the pages (en) showed 1",
        "the page behind the last one (en) shows 3 rows",
    ]


def test_a_single_one_is_told_as_such() -> None:
    assert list(doubts([_reading("en", beyond=1)], 1, 1)) == [
        "the marketplace counts 1 category, the pages (en) showed 0",
        "the page behind the last one (en) shows 1 row",
    ]
