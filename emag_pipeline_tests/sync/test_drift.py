"""A catalogue that moves or lies while it is read: recognised, read again, or refused with the numbers."""

import pytest

from emag_pipeline.db.engine import Database
from emag_pipeline.errors import PageBoundExceeded, ScanNotProven
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.sync import stage_account
from emag_pipeline_tests.sync.conftest import Refresh
from emag_pipeline_tests.sync.refresh import ledger_row, refresh
from emag_pipeline_tests.sync.truth import assert_published_exactly


@pytest.mark.parametrize("change", ["arrival", "departure"])
def test_a_catalogue_that_moved_once_is_read_again(
    market: SandboxServer, database: Database, main: Refresh, change: str, caplog: pytest.LogCaptureFixture
) -> None:
    market.add_fault("drift", change=change, offers=3, pages=[3], count=1)
    done = refresh(main())
    assert done.sync.round == 2
    told = [record.levelname for record in caplog.records if record.getMessage().startswith("catalogue_read_again")]
    assert told == ["WARNING"]
    assert_published_exactly(database, market, "main")


def test_a_catalogue_that_never_holds_still_is_not_published(market: SandboxServer, main: Refresh) -> None:
    market.add_fault("drift", change="arrival", pages=[3])
    context = main()
    with pytest.raises(ScanNotProven, match=r"after 3 readings: .*offers before and .* after the scan"):
        stage_account(context)
    row = ledger_row(context)
    assert (row.status, row.error_class, row.round) == ("failed", "ScanNotProven", 3)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            {"kind": "count_lies", "difference": -120},
            "100 rows are shown behind the last page, from position 400 on: the count is too low",
        ),
        ({"kind": "count_lies", "difference": 120}, "counts 640 offers, the pages showed 520 different ones"),
        ({"kind": "repeated_page", "pages": [4]}, "100 rows show offers that another page had shown already"),
        ({"kind": "empty_page", "pages": [4]}, "counts 520 offers, the pages showed 420 different ones"),
        ({"kind": "short_page", "pages": [4]}, "counts 520 offers, the pages showed 519 different ones"),
        (
            {"kind": "endless_pages"},
            "100 rows are shown behind the last page, from position 600 on: the count is too low",
        ),
    ],
)
def test_pages_that_do_not_add_up_are_named(
    market: SandboxServer, main: Refresh, fault: dict[str, object], said: str
) -> None:
    market.add_fault(**fault)  # type: ignore[arg-type]
    with pytest.raises(ScanNotProven, match=said):
        stage_account(main())


def test_a_catalogue_beyond_the_page_bound_is_not_read_at_all(market: SandboxServer, main: Refresh) -> None:
    context = main(EMAG_SYNC_MAX_PAGES="5")
    with pytest.raises(PageBoundExceeded, match="520 offers = 6 pages"):
        stage_account(context)
    assert {request["resource"] for request in market.requests("main")} == {"product_offer/count"}
    assert ledger_row(context).error_class == "PageBoundExceeded"
