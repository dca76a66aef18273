"""Slow and broken pages: read in smaller ones, the size that works is kept, and one bad offer costs that offer."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from emag_pipeline.errors import ApiUnavailable, ParametersIgnored
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import quarantine
from emag_pipeline.sync.completeness import SIZES
from emag_pipeline.sync.completeness.reads import SMALLEST_OF_CHAIN
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.sync.refresh import Contexts, context_for, ledger_row, refresh, refused
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly, published

#: An offer of the second hundred, and one that nobody knows before the pages show it.
_PLACE = 151


def page_size(database: Database) -> int | None:
    with database.transaction() as tx:
        sql = "SELECT page_size FROM emag_accounts WHERE account_type = 'main'"
        size: int | None = tx.run(sql).scalar_one()
        return size


def proof(main: Contexts) -> Any:
    return ledger_row(main()).proof


@pytest.fixture
def bad(market: SandboxServer) -> int:
    """The id of the offer that will break its pages."""
    return market.ids("main")[_PLACE]


@pytest.mark.parametrize("parameters", ["top", "data", "both"])
def test_a_catalogue_is_published_exactly_wherever_the_marketplace_looks_for_parameters(
    market: SandboxServer, main: Contexts, database: Database, parameters: str
) -> None:
    market.settings(parameters=parameters)
    done = refresh(main())
    assert (done.published.offers, done.published.quarantined) == (520, 0)
    assert_published_exactly(database, market, "main")


@pytest.mark.parametrize("size", [50, 20, 30, 7])
def test_any_page_size_gives_the_same_copy(
    market: SandboxServer, main: Contexts, database: Database, size: int
) -> None:
    refresh(main(EMAG_API_PAGE_SIZE=str(size)))
    assert_published_exactly(database, market, "main")
    row = ledger_row(main())
    assert row.pages_done == row.pages_expected == 6
    assert page_size(database) is None


def test_pages_that_are_too_slow_are_read_in_smaller_ones_and_the_size_is_kept(
    market: SandboxServer, main: Contexts, database: Database
) -> None:
    market.settings(seconds_per_offer=0.014)
    patience = {"EMAG_API_SILENCE_SECONDS": "1.05", "EMAG_API_CALL_SECONDS": "10"}
    refresh(main(**patience))
    assert_published_exactly(database, market, "main")
    assert page_size(database) == 50
    row = ledger_row(main())
    assert row.pages_done == row.pages_expected
    market.reset_stats()
    refresh(main(**patience))
    assert len([one for one in market.requests("main") if one["resource"] == "product_offer/read"]) <= 16


@pytest.mark.usefixtures("already_published")
def test_a_larger_size_is_tried_again_a_day_later(market: SandboxServer, main: Contexts, database: Database) -> None:
    with database.transaction() as tx:
        tx.run(
            "UPDATE emag_accounts SET page_size = 20, page_size_at = now() - :age WHERE account_type = 'main'",
            age=timedelta(hours=25),
        )
    refresh(main())
    assert page_size(database) == 50
    refresh(main())  # not twice a day
    assert page_size(database) == 50
    with database.transaction() as tx:
        tx.run("UPDATE emag_accounts SET page_size_at = now() - interval '2 days'")
    refresh(main())
    assert page_size(database) is None


@pytest.mark.usefixtures("already_published")
@pytest.mark.parametrize("how", ["status", "reset", "cut"])
def test_an_offer_that_breaks_its_pages_is_read_by_its_id(
    market: SandboxServer, main: Contexts, database: Database, bad: int, how: str
) -> None:
    market.edit("main", bad, sale_price=77.5)
    market.add_fault("breaks_page", offer_ids=[bad], how=how, by_id=False)
    refresh(main())
    assert_published_exactly(database, market, "main")
    assert (proof(main)["unreadable_positions"], proof(main)["found_by_id"]) == (1, 1)
    assert page_size(database) is None


@pytest.mark.usefixtures("already_published")
def test_an_offer_that_breaks_its_read_by_id_too_keeps_its_last_state_and_is_flagged(
    market: SandboxServer, main: Contexts, database: Database, bad: int
) -> None:
    market.edit("main", bad, sale_price=77.5)
    market.add_fault("breaks_page", offer_ids=[bad], how="cut")
    done = refresh(main(EMAG_SYNC_REJECT_TOLERANCE="0.01"))
    (row,) = [one for one in published(database, "main") if one["emag_offer_id"] == bad]
    assert row["sale_price"] != 77.5
    (seen,) = rows(database, "SELECT rejected_at FROM emag_current_offers WHERE rejected_at IS NOT NULL")
    assert seen.rejected_at == done.published.published_at
    assert row["deleted_at"] is None
    assert (proof(main)["unreadable_positions"], proof(main)["unreadable_by_id"]) == (1, 1)
    market.clear_faults()
    refresh(main())
    assert_published_exactly(database, market, "main")


def test_an_unknown_offer_behind_an_unreadable_position_is_counted_and_nothing_else_is_lost(
    market: SandboxServer, main: Contexts, database: Database, bad: int
) -> None:
    market.add_fault("breaks_page", offer_ids=[bad], how="cut")
    refresh(main())
    ids = {row["emag_offer_id"] for row in published(database, "main")}
    assert ids == set(market.ids("main")) - {bad}
    assert (proof(main)["unreadable_positions"], proof(main)["unreadable_by_id"]) == (1, 0)


@pytest.mark.usefixtures("already_published")
def test_an_offer_that_breaks_its_pages_while_the_catalogue_moves_counts_once(
    market: SandboxServer, main: Contexts, bad: int
) -> None:
    market.add_fault("breaks_page", offer_ids=[bad], how="cut", by_id=False)
    for reads in (10, 20, 30):  # while its page is read in parts, twice
        market.add_fault("drift", change="arrival", after=reads, count=1)
    assert refresh(main()).sync.status == "completed"
    assert (proof(main)["unreadable_positions"], proof(main)["unreadable_by_id"]) == (1, 0)


class _EndOfFaults(logging.Handler):
    """The marketplace is repaired as soon as a position has been given up."""

    def __init__(self, market: SandboxServer) -> None:
        super().__init__()
        self.market, self.given_up = market, 0

    def emit(self, record: logging.LogRecord) -> None:
        if "position_unreadable" in record.getMessage():
            self.given_up += 1
            self.market.clear_faults()


def test_a_position_that_a_later_page_shows_counts_for_neither_the_scan_nor_the_audit(
    market: SandboxServer, main: Contexts, database: Database, bad: int
) -> None:
    market.add_fault("breaks_page", offer_ids=[bad], how="cut")
    faults = _EndOfFaults(market)
    logging.getLogger().addHandler(faults)
    try:
        done = refresh(main())
    finally:
        logging.getLogger().removeHandler(faults)
    assert faults.given_up == 1
    shown = ledger_row(main()).proof
    assert (shown["distinct_ids"], shown["remainder"], shown["unreadable_positions"]) == (520, 0, 0)
    assert quarantine.newest(database, ["main"], limit=10) == []
    assert_published_exactly(database, market, "main")
    assert done.published.offers == 520


def test_positions_that_were_given_up_count_for_the_next_attempt_too(
    market: SandboxServer, main: Contexts, database: Database
) -> None:
    market.add_fault("breaks_page", offer_ids=market.ids("main")[300:340], how="cut")
    for _ in range(2):
        with pytest.raises(ApiUnavailable, match="11 positions of the listing cannot be read"):
            stage_account(main())
    assert ledger_row(main()).attempt == 2
    (found,) = rows(database, "SELECT count(*), count(DISTINCT position) FROM emag_scan_pages WHERE is_unreadable")
    assert tuple(found) == (10, 10)


def test_unreadable_positions_beyond_the_tolerance_are_for_a_person_to_decide(
    market: SandboxServer, main: Contexts
) -> None:
    market.add_fault("breaks_page", offer_ids=market.ids("main")[300:308], how="cut")
    audit = refused(main())
    assert [verdict.name for verdict in audit.verdicts if not verdict.passed] == ["rejects_within_tolerance"]


def test_a_single_unreadable_offer_is_tolerated_however_small_the_account(
    market: SandboxServer, database: Database
) -> None:
    context = context_for(database, market.url, "fbe", EMAG_SYNC_REJECT_TOLERANCE="0.001")
    market.edit("fbe", market.ids("fbe")[5], sale_price="call us")
    assert refresh(context).published.offers == 130


def test_a_translation_that_cannot_be_read_sells_nothing_and_is_no_matter_of_the_tolerance(
    market: SandboxServer, database: Database
) -> None:
    for offer_id in market.ids("fbe"):
        market.edit("fbe", offer_id, translation_validation_status=True)
    assert refresh(context_for(database, market.url, "fbe")).published.saleable == 0
    assert {tuple(row["unreadable"]) for row in published(database, "fbe")} == {("translation_validation_status",)}


@pytest.mark.usefixtures("already_published")
@pytest.mark.parametrize("status", [200, 400, 422])
def test_an_offer_whose_pages_are_refused_in_words_costs_that_offer(
    market: SandboxServer, main: Contexts, database: Database, bad: int, status: int
) -> None:
    market.add_fault("is_error", resource="product_offer/read", offer_ids=[bad], status=status)
    market.add_fault("breaks_page", offer_ids=[bad], status=status, by_id=False)
    refresh(main())
    assert {row["emag_offer_id"] for row in published(database, "main")} == set(market.ids("main"))
    assert proof(main)["unreadable_by_id"] == 1


@pytest.mark.usefixtures("already_published")
def test_a_marketplace_that_answers_no_page_at_all_is_not_narrowed_down(market: SandboxServer, main: Contexts) -> None:
    market.reset_stats()
    market.add_fault("html_200", resource="product_offer/read")
    with pytest.raises(ApiUnavailable, match=r"main, page \d+: the response is a web page"):
        stage_account(main())
    assert all(one["page"] is None or one["page"] <= 521 for one in market.requests("main"))
    assert len(market.requests("main")) < 30


def test_more_rows_than_were_asked_for_at_every_size_are_ignored_pagination(
    market: SandboxServer, main: Contexts
) -> None:
    market.add_fault("too_many_rows", rows=100)
    with pytest.raises(ParametersIgnored, match="the marketplace ignores itemsPerPage"):
        stage_account(main(EMAG_API_PAGE_SIZE="50"))
    assert len(market.requests("main")) <= 3


#: The fault of a marketplace that obeys the usual page sizes and shows 100 rows for any other one.
_ODD_SIZES_IGNORED: dict[str, Any] = {"rows": 100, "sizes": [one for one in range(2, 100) if one not in SIZES]}


def _ignored_at(database: Database) -> Any:
    (row,) = rows(database, "SELECT odd_sizes_ignored_at FROM emag_accounts WHERE account_type = 'main'")
    return row.odd_sizes_ignored_at


@pytest.mark.parametrize(
    ("size", "offers", "first", "later"), [(100, 520, 20, 16), (30, 520, 60, 56), (7, 130, 56, 56)]
)
def test_sizes_that_are_not_obeyed_are_noticed_once_and_not_asked_for_again(
    market: SandboxServer, main: Contexts, database: Database, size: int, offers: int, first: int, later: int
) -> None:
    market.remove("main", market.ids("main")[offers:])
    market.add_fault("too_many_rows", **_ODD_SIZES_IGNORED)
    calls = []
    for _ in range(2):
        market.reset_stats()
        refresh(main(EMAG_API_PAGE_SIZE=str(size), EMAG_SYNC_TIMEOUT_HOURS="0.2"))
        calls.append(market.stats("main")["requests"])
        # pages of less than 8 are no chain: only usual sizes are asked for, so nothing is found out
        assert (_ignored_at(database) is not None) == (size >= SMALLEST_OF_CHAIN)
        assert_published_exactly(database, market, "main")
    assert calls[0] <= first
    assert calls[1] <= later
    asked = [row.page_size for row in rows(database, "SELECT page_size FROM emag_requests WHERE page > 0")]
    assert sum(one not in SIZES for one in asked) <= 4  # those under way when it was found out, and one once more


@pytest.mark.usefixtures("already_published")
def test_a_single_answer_that_is_too_long_is_no_habit(
    market: SandboxServer, main: Contexts, database: Database
) -> None:
    market.reset_stats()
    refresh(main())
    usual = market.stats("main")["requests"]
    fault = market.add_fault("too_many_rows", **_ODD_SIZES_IGNORED, count=1)
    market.reset_stats()
    refresh(main())
    assert [one["done"] for one in market.faults() if one["id"] == fault] == [1]
    assert _ignored_at(database) is None
    assert market.stats("main")["requests"] <= usual + 2  # the page once more, and whether another one is answered


@pytest.mark.usefixtures("already_published")
def test_a_row_that_makes_its_page_too_long_costs_no_offer(
    market: SandboxServer, main: Contexts, database: Database, bad: int
) -> None:
    market.add_fault("poison", row="same_id_twice", offer_ids=[bad])
    refresh(main())
    assert_published_exactly(database, market, "main")


@pytest.mark.parametrize(("row", "said"), [("price_first", "sale_price"), ("no_id_first", "id is missing")])
def test_of_a_bad_and_a_good_row_of_an_offer_the_good_one_is_published_and_the_other_quarantined(
    market: SandboxServer, main: Contexts, database: Database, bad: int, row: str, said: str
) -> None:
    market.add_fault("poison", row=row, offer_ids=[bad])  # each page that shows it has a row more than was asked for
    done = refresh(main())
    assert_published_exactly(database, market, "main")
    (reject,) = rows(database, "SELECT emag_offer_id, reason FROM emag_offer_rejects")
    assert said in reject.reason
    assert reject.emag_offer_id in (bad, None)
    shown = ledger_row(main()).proof
    assert (shown["unreadable_rows"], shown["unreadable_positions"], shown["remainder"]) == (0, 0, 0)
    assert (shown["head_reached"], shown["tail_reached"], shown["marks"]) == (1, 1, [])
    assert (_ignored_at(database), page_size(database), done.published.quarantined) == (None, None, 1)


def test_pagination_that_is_ignored_is_an_error_of_its_own_after_three_calls(
    market: SandboxServer, main: Contexts
) -> None:
    market.add_fault("ignores_page")
    context = main()
    with pytest.raises(ParametersIgnored, match="main: the marketplace ignores currentPage"):
        stage_account(context)
    assert len(market.requests("main")) == 3
    assert ledger_row(context).error_class == "ParametersIgnored"


def test_a_scan_in_which_pages_were_ignored_is_never_gone_on_with(market: SandboxServer, main: Contexts) -> None:
    market.remove("main", market.ids("main")[320:])
    market.add_fault("ignores_page", after=4)  # the first pages are true
    for _ in range(2):
        with pytest.raises(ParametersIgnored, match="ignores currentPage"):
            stage_account(main())
        assert ledger_row(main()).windows_staged > 0
    market.clear_faults()
    assert refresh(main()).sync.attempt == 1
    assert ledger_row(main()).proof["marks"] == []


def test_narrowing_counts_as_progress_and_is_resumed_by_position(
    market: SandboxServer, main: Contexts, database: Database, bad: int
) -> None:
    market.add_fault("breaks_page", offer_ids=[bad], how="cut")
    market.add_fault("wrong_credentials", resource="product_offer/read", pages=[_PLACE + 1], count=1)
    with pytest.raises(Exception, match="refuses"):
        stage_account(main())
    stopped = ledger_row(main())
    assert 0 < stopped.pages_done < stopped.pages_expected
    refresh(main())
    assert ledger_row(main()).attempt == 2
    assert len(published(database, "main")) == 519
