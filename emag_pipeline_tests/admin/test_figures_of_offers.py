from decimal import Decimal

import pytest

from emag_pipeline.admin.history import money, one_line, status_words
from emag_pipeline.charts import small


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, ""), (Decimal("0.0000"), "0.0000"), (Decimal("10.5000"), "10.5000"), (Decimal("10.4995"), "10.4995"),
        (Decimal("10.49"), "10.4900"), (Decimal("1871.1110"), "1,871.1110"), (Decimal(1234567), "1,234,567.0000"),
    ],
)  # fmt: skip
def test_money_has_four_places_so_that_prices_below_each_other_compare(amount: Decimal | None, text: str) -> None:
    assert money(amount) == text


def test_a_status_is_told_in_words_also_an_unknown_one() -> None:
    assert [status_words(one) for one in (0, 1, 2, 7, None)] == ["inactive", "active", "end of life", "7", "unknown"]


def test_a_text_of_the_marketplaces_cannot_command_the_terminal() -> None:
    assert one_line("Șosete\r\n\tcălduroase \x1b[2J🧦") == "Șosete călduroase �[2J🧦"


def test_a_curve_rises_and_falls_with_its_values_and_has_holes_where_there_is_none() -> None:
    assert small.draw([0, 50, None, 100]) == "▁▅ █"
    assert small.draw([Decimal("9.99"), Decimal("10.50")], Decimal("9.99")) == "▁█"


def test_a_curve_of_one_value_is_flat() -> None:
    assert small.draw([5, 5], 5) == "▅▅"
