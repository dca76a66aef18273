import pytest

from emag_pipeline import errors
from emag_pipeline.errors import Rerun


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
    ("kind", "code", "rerun"),
    [
        (errors.ApiUnavailable, 1, Rerun.AT_ONCE),
        (errors.StagingLost, 1, Rerun.AS_A_NEW_RUN),
        (errors.SettingsError, 2, Rerun.NEVER),
        (errors.RefusedError, 3, Rerun.NEVER),
        (errors.AnotherSyncRunning, 4, Rerun.NEVER),
        (errors.AccessRefused, 5, Rerun.NEVER),
    ],
)
def test_a_type_says_whether_a_rerun_helps_and_how_a_command_exits(
    kind: type[errors.PipelineError], code: int, rerun: Rerun
) -> None:
    error = kind("x")
    assert (error.exit_code, errors.rerun_after(error.error_class), error.error_class) == (code, rerun, kind.__name__)


@pytest.mark.parametrize("name", ["Interrupted", "OwnerDied", "KeyError", "PipelineError.x", ""])
def test_what_is_no_error_of_the_project_is_worth_another_run(name: str) -> None:
    assert errors.rerun_after(name) is Rerun.AS_A_NEW_RUN


def test_no_broad_except_eats_an_interrupt() -> None:
    assert not issubclass(errors.Interrupted, Exception)
