"""Categories, VAT rates and handling times through the client, against a sandbox with quirks and faults."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from pydantic import SecretStr

from emag_pipeline.errors import ApiUnavailable, RequestRefused
from emag_pipeline.marketplace import ProcessBudget, ReferenceData
from emag_pipeline.model import RequestRecord
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings.accounts import Account, AccountName
from emag_pipeline_tests.marketplace.clients import PASSWORD, USERNAME

_RATES = {1: Decimal("0.21"), 2: Decimal("0.11"), 3: Decimal(0)}


@pytest.fixture
def records() -> list[RequestRecord]:
    return []


@pytest.fixture
def reference(sandbox: SandboxServer, records: list[RequestRecord]) -> Iterator[ReferenceData]:
    account = Account(AccountName("main"), sandbox.url, USERNAME, SecretStr(PASSWORD))
    client = ReferenceData(account, ProcessBudget(1000, 60_000), record=records.append, attempts=2)
    yield client
    client.close()


@pytest.mark.parametrize("quirk_share", [0, 1])
def test_vat_rates_and_handling_times_are_read_in_every_spelling(
    sandbox: SandboxServer, reference: ReferenceData, quirk_share: int
) -> None:
    sandbox.settings(quirk_share=quirk_share)
    rates, times = reference.read_vat_rates(), reference.read_handling_times()
    assert {row.key: row.rate for row in rates.readable} == _RATES
    assert [row.key for row in times.readable] == [0, 1, 2, 3, 4, 5, 7, 10, 14, 20, 30]
    assert rates.unreadable == times.unreadable == ()


@pytest.mark.parametrize("quirk_share", [0, 1])
def test_all_pages_show_as_many_categories_as_are_counted(
    sandbox: SandboxServer, reference: ReferenceData, quirk_share: int
) -> None:
    sandbox.settings(quirk_share=quirk_share)
    count = reference.count_categories().rows
    assert count > 100
    rows = [row for page in range(1, count // 100 + 2) for row in reference.read_categories(page, "ro").readable]
    assert len({row.key for row in rows}) == len(rows) == count
    assert all(row.name and row.is_allowed is not None for row in rows)


def test_names_come_in_the_language_that_was_asked_for(reference: ReferenceData) -> None:
    names = {language: reference.read_categories(1, language).readable[0].name for language in ("ro", "en")}
    assert names["ro"] != names["en"]


def test_a_language_that_the_marketplace_does_not_know_is_told_in_its_own_words(reference: ReferenceData) -> None:
    with pytest.raises((ApiUnavailable, RequestRefused), match=r"main, category/read, page 1: .*Unknown language: xx"):
        reference.read_categories(1, "xx")


def test_a_cut_off_answer_is_asked_for_again_and_never_believed(
    sandbox: SandboxServer, reference: ReferenceData, records: list[RequestRecord]
) -> None:
    sandbox.add_fault("truncated_json", resource="vat/", count=1)
    assert len(reference.read_vat_rates().readable) == 3
    assert [one.error_class for one in records] == ["ApiUnavailable", None]
    sandbox.add_fault("truncated_json", resource="category/")
    with pytest.raises(ApiUnavailable, match="truncated or not JSON"):
        reference.read_categories(1, "ro")


def test_calls_are_recorded_by_resource_and_page_without_the_language(
    reference: ReferenceData, records: list[RequestRecord]
) -> None:
    reference.count_categories()
    reference.read_categories(2, "en")
    reference.read_vat_rates()
    assert [(one.resource, one.page) for one in records] == [
        ("category/count", None), ("category/read", 2), ("vat/read", None),
    ]  # fmt: skip


def test_a_category_that_cannot_be_represented_is_told_beside_the_others(
    sandbox: SandboxServer, reference: ReferenceData
) -> None:
    sandbox.add_fault("poison", resource="category/read", row="no_id", rows=2)
    page = reference.read_categories(1, "ro")
    assert len(page.readable) == 98
    assert all(reason.startswith("id is missing: {") for reason in page.unreadable)
