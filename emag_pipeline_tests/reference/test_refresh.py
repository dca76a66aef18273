"""Reference data as a whole: proven complete, merged, and never the worse for what the marketplace says."""

import pytest

from emag_pipeline.errors import AccessRefused, ParametersIgnored, ScanNotProven, SettingsError
from emag_pipeline.reference.read import ReferenceRefresh, read_reference
from emag_pipeline.reference.tables import CATEGORIES, HANDLING_TIMES, VAT_RATES, Resource
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.sandbox.reference import category_rows
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.refresh import Contexts
from emag_pipeline_tests.sync.syncs import rows

_TRUE = {language: {row["id"]: row["name"] for row in category_rows({}, language)} for language in ("ro", "en")}
_COUNT = len(_TRUE["ro"])
_PAGES = -(-_COUNT // 100)
#: of one reading: two languages, the page behind the last one in each, the counts before and after
_CALLS = 2 * (_PAGES + 1) + 2
_CATEGORIES = "SELECT category_id, name, names, deleted_at, xmin::text FROM emag_categories ORDER BY 1"


def _refresh(main: Contexts, resource: Resource = CATEGORIES, marketplace: str = "sandbox") -> ReferenceRefresh:
    context = main()
    return read_reference(context.settings, context.database, marketplace, resource)


def test_categories_are_stored_with_their_names_in_both_languages(main: Contexts, database: Database) -> None:
    done = _refresh(main)
    assert (done.merged.created, done.merged.rows, done.unreadable) == (_COUNT, _COUNT, [])
    stored = rows(database, _CATEGORIES)
    assert {row.category_id: row.name for row in stored} == _TRUE["ro"]
    assert {row.category_id: row.names["en"] for row in stored} == _TRUE["en"]


def test_each_language_costs_its_pages_one_behind_them_and_the_counts(
    main: Contexts, database: Database, market: SandboxServer
) -> None:
    assert _refresh(main).requests == _CALLS
    called = rows(database, "SELECT resource, count(*) AS calls FROM emag_requests GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in called] == [("category/count", 2), ("category/read", 2 * (_PAGES + 1))]


def test_a_second_read_of_the_same_writes_nothing(main: Contexts, database: Database, market: SandboxServer) -> None:
    _refresh(main)
    before = rows(database, _CATEGORIES)
    done = _refresh(main)
    assert (done.merged.created, done.merged.updated, done.merged.deleted) == (0, 0, 0)
    assert rows(database, _CATEGORIES) == before


def test_vat_rates_and_handling_times_are_stored_and_their_accounts_noted(main: Contexts, database: Database) -> None:
    assert _refresh(main, VAT_RATES).merged.rows == 3
    assert _refresh(main, HANDLING_TIMES).merged.rows == 11
    rates = rows(database, "SELECT vat_id, rate::text FROM emag_vat_rates ORDER BY 1")
    assert [tuple(row) for row in rates] == [(1, "0.2100"), (2, "0.1100"), (3, "0.0000")]
    accounts = rows(database, "SELECT account_type, marketplace, currency FROM emag_accounts")
    assert [tuple(row) for row in accounts] == [("main", "sandbox", "RON")]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"kind": "repeated_page", "pages": [2], "after": 1}, "show categories that another row had shown already"),
        ({"kind": "empty_page", "pages": [2]}, "categories, the pages \\(ro\\) showed"),
        ({"kind": "short_page", "pages": [1]}, f"showed {_COUNT - 1}"),
        ({"kind": "endless_pages"}, "the page behind the last one \\(ro\\) shows 100 rows"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_pages_that_do_not_add_up_are_read_again_and_then_not_believed(
    main: Contexts, database: Database, market: SandboxServer, fault: dict[str, object], why: str
) -> None:
    _refresh(main)
    before = rows(database, _CATEGORIES)
    market.add_fault(**{"resource": "category/read", **fault})  # type: ignore[arg-type]
    with pytest.raises(ScanNotProven, match=f"do not add up after 3 readings: .*{why}"):
        _refresh(main)
    assert rows(database, _CATEGORIES) == before


@pytest.mark.parametrize("difference", [-100, 7, 10**9])
def test_a_count_that_lies_is_not_believed(main: Contexts, market: SandboxServer, difference: int) -> None:
    market.add_fault("count_lies", resource="category/count", difference=difference)
    with pytest.raises(ScanNotProven, match="sandbox: the categories do not add up"):
        _refresh(main)


@pytest.mark.parametrize("after", [0, 1], ids=["before", "after"])
def test_a_count_that_is_wrong_once_costs_a_second_reading(main: Contexts, market: SandboxServer, after: int) -> None:
    market.add_fault("count_lies", resource="category/count", difference=1, count=1, after=after)
    done = _refresh(main)
    assert (done.merged.rows, done.requests) == (_COUNT, 2 * _CALLS)


def test_a_page_that_is_repeated_once_costs_a_second_reading(main: Contexts, market: SandboxServer) -> None:
    market.add_fault("repeated_page", resource="category/read", pages=[2], count=1, after=1)
    done = _refresh(main)
    assert (done.merged.rows, done.requests) == (_COUNT, 2 * _CALLS)


def test_pagination_of_categories_that_is_ignored_is_said_by_name_after_three_calls(
    main: Contexts, market: SandboxServer
) -> None:
    market.add_fault("repeated_page", resource="category/read", shows=1)
    with pytest.raises(ParametersIgnored, match="the marketplace ignores currentPage: page 2 shows the same 100 rows"):
        _refresh(main)
    assert len(market.requests("main")) == 3


def test_a_cut_off_answer_costs_one_call(main: Contexts, market: SandboxServer) -> None:
    market.add_fault("truncated_json", resource="category/read", count=1, after=2)
    done = _refresh(main)
    assert (done.merged.rows, done.requests) == (_COUNT, _CALLS + 1)


def test_a_row_that_cannot_be_represented_is_told_and_nothing_gets_a_tombstone(
    main: Contexts, database: Database, market: SandboxServer
) -> None:
    _refresh(main)
    market.add_fault("poison", resource="category/read", row="no_id", rows=1, pages=[1])
    done = _refresh(main)
    assert [reason.partition(": {")[0] for reason in done.unreadable] == ["ro: id is missing", "en: id is missing"]
    assert (done.merged.deleted, done.merged.rows) == (0, _COUNT)


def test_an_empty_answer_is_not_believed_while_categories_are_stored(main: Contexts, market: SandboxServer) -> None:
    _refresh(main)
    market.add_fault("count_lies", resource="category/count", offers=0)
    market.add_fault("empty_page", resource="category/read")
    with pytest.raises(ScanNotProven, match="shows no categories"):
        _refresh(main)


def test_refused_credentials_end_it_at_once_and_are_in_the_request_log(
    main: Contexts, database: Database, market: SandboxServer
) -> None:
    market.add_fault("wrong_credentials")
    with pytest.raises(AccessRefused):
        _refresh(main, VAT_RATES)
    logged = rows(database, "SELECT resource, error_class FROM emag_requests")
    assert [tuple(row) for row in logged] == [("vat/read", "AccessRefused")]


def test_a_marketplace_without_an_account_is_named(main: Contexts) -> None:
    with pytest.raises(SettingsError, match=r"no account sells on 'emag_hu'. Use one of: sandbox"):
        _refresh(main, VAT_RATES, "emag_hu")
