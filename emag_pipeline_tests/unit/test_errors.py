import pytest

from emag_pipeline import errors


def test_a_message_says_where_what_why_and_the_remedy_in_one_line() -> None:
    error = errors.PageBoundExceeded(
        "the catalogue has 12,345 offers = 124 pages",
        where="main",
        why="EMAG_SYNC_MAX_PAGES is 100",
        remedy="Set it to 130 or more",
    )
    assert str(error) == (
        "main: the catalogue has 12,345 offers = 124 pages: EMAG_SYNC_MAX_PAGES is 100. Set it to 130 or more."
    )


@pytest.mark.parametrize(
    ("kind", "code", "rerun_helps"),
    [
        (errors.ApiUnavailable, 1, True),
        (errors.SettingsError, 2, False),
        (errors.RefusedError, 3, False),
        (errors.AnotherSyncRunning, 4, False),
        (errors.AccessRefused, 5, False),
    ],
)
def test_a_type_says_whether_a_rerun_helps_and_how_a_command_exits(
    kind: type[errors.PipelineError], code: int, rerun_helps: bool
) -> None:
    error = kind("x")
    assert (error.exit_code, error.rerun_helps, error.error_class) == (code, rerun_helps, kind.__name__)


def test_no_broad_except_eats_an_interrupt() -> None:
    assert not issubclass(errors.Interrupted, Exception)
