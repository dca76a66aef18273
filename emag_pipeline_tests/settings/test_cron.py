import re

import pytest
from dagster._utils.schedules import is_valid_cron_schedule
from hypothesis import given
from hypothesis import strategies as st

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import load_settings
from emag_pipeline.settings.cron import checked, with_minute


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("H * * * *", "17 * * * *"),
        ("H/15 6-22 * * 1-5", "2-59/15 6-22 * * 1-5"),
        ("  30   4 * * 0,6 ", "30 4 * * 0,6"),
        ("*/20 * * * *", "*/20 * * * *"),
        ("0-30/10 * 1 2-4 *", "0-30/10 * 1 2-4 *"),
    ],
)
def test_h_stands_for_the_minute_and_all_else_stays(given: str, plain: str) -> None:
    assert with_minute(checked(given), 17) == plain


@pytest.mark.parametrize(
    "wrong",
    [
        "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "1/2 * * * *", "*/0 * * * *",
        "H-5 * * * *", "* H * * *", "* * * * MON", "@hourly", "0 0 31 4 *", "* * * *", "* * * * * *", "1, * * * *",
        "H/60 * * * *", "٣ * * * *",
    ],
)  # fmt: skip
def test_what_never_or_hardly_means_anything_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"is no|five fields|has no day"):
        checked(wrong)


def _numbers(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low - 1, high + 1)
    part = st.one_of(
        st.just("*"),
        number.map(str),
        st.tuples(number, number).map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.tuples(number, number, number).map(lambda three: f"{three[0]}-{three[1]}/{three[2]}"),
        number.map(lambda step: f"*/{step}"),
    )
    return st.lists(part, min_size=1, max_size=3).map(",".join)


_MINUTES = st.one_of(st.just("H"), st.integers(1, 59).map(lambda step: f"H/{step}"), _numbers(0, 59))


@given(st.tuples(_MINUTES, _numbers(0, 23), _numbers(1, 31), _numbers(1, 12), _numbers(0, 7)), st.integers(1, 59))
def test_what_is_accepted_is_understood_by_dagster_too(fields: tuple[str, ...], minute: int) -> None:
    try:
        expression = checked(" ".join(fields))
    except ValueError:
        return
    assert is_valid_cron_schedule(with_minute(expression, minute))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("EMAG_REFRESH_CRON", "hourly"), ("EMAG_MAINTENANCE_CRON", "0 25 * * *"), ("EMAG_CRON_TIMEZONE", "Bukarest")],
)
def test_a_wrong_schedule_is_named_at_start_with_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"{variable} is {value!r}")):
        load_settings({variable: value}, env_file=None)
