"""The limits of what a reader of a field takes, to the last number on each side."""

from decimal import Decimal

import pytest

from emag_pipeline.marketplace.fields import BIGINT, INTEGER, OFFER_ID, SMALLINT, UnreadableValue, number, whole

_LIMITS = [
    (SMALLINT, -32_768, 32_767),
    (INTEGER, -2_147_483_648, 2_147_483_647),
    (BIGINT, -9_223_372_036_854_775_808, 9_223_372_036_854_775_807),
    (OFFER_ID, 1, 4_294_967_295),
]


@pytest.mark.parametrize(("limits", "least", "most"), _LIMITS)
def test_a_whole_number_is_read_up_to_the_limits_of_its_column(limits: tuple[int, int], least: int, most: int) -> None:
    assert [whole({"n": value}, "n", limits) for value in (least, most)] == [least, most]


@pytest.mark.parametrize(("limits", "least", "most"), _LIMITS)
def test_one_more_is_out_of_range(limits: tuple[int, int], least: int, most: int) -> None:
    for value in (least - 1, most + 1, str(least - 1), str(most + 1)):
        with pytest.raises(UnreadableValue, match="outside") as failure:
            whole({"n": value}, "n", limits)
        assert failure.value.kind == "out of range"


def test_a_number_is_read_from_a_text_of_up_to_1000_characters() -> None:
    assert number({"n": "7".rjust(1000, "0")}, "n") == Decimal(7)
    with pytest.raises(UnreadableValue, match="not a number"):
        number({"n": "7".rjust(1001, "0")}, "n")
