"""Categories, VAT rates, handling times (docs/marketplace-api.md, "Reference data")."""

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader


def all_categories(reader: Reader) -> list[dict[str, object]]:
    pages = reader.results("category/count")["noOfPages"]
    return [one for number in range(1, pages + 1) for one in reader.results("category/read", currentPage=number)]


def test_categories_fill_more_than_one_page_and_match_their_count(reader: Reader) -> None:
    counted = reader.results("category/count")
    assert counted["noOfPages"] > 1
    assert len(all_categories(reader)) == counted["noOfItems"]


def test_a_category_in_brief_has_the_documented_fields(reader: Reader) -> None:
    names = {"id", "name", "is_allowed", "parent_id", "is_ean_mandatory", "is_warranty_mandatory"}
    assert all(set(one) == names for one in reader.results("category/read"))


def test_a_category_by_id_tells_characteristics_and_families(reader: Reader) -> None:
    (category,) = reader.results("category/read", id=2101)
    assert {"id", "name", "type_id", "display_order", "is_mandatory", "values"} <= set(category["characteristics"][0])
    assert category["family_types"]


def test_characteristic_values_have_a_paging_of_their_own(reader: Reader) -> None:
    (whole,) = reader.results("category/read", id=2101)
    (second,) = reader.results("category/read", id=2101, valuesCurrentPage=2, valuesPerPage=2)
    values = whole["characteristics"][0]["values"]
    assert second["characteristics"][0]["values"] == values[2:4]


def test_names_come_in_another_language(reader: Reader) -> None:
    romanian, english = (reader.results(f"category/read{query}", id=2101)[0] for query in ("", "?language=en"))
    assert (romanian["name"], english["name"]) == ("Fierbătoare", "Kettles")


def test_an_unknown_language_is_refused(reader: Reader) -> None:
    assert "xx" in reader.refusal("category/read?language=xx")


def test_each_offers_category_vat_rate_and_handling_time_exist(sandbox: SandboxServer, reader: Reader) -> None:
    offers = list(sandbox.truth("main"))
    assert {offer["category_id"] for offer in offers} <= {one["id"] for one in all_categories(reader)}
    assert {offer["vat_id"] for offer in offers} <= {one["vat_id"] for one in reader.results("vat/read")}
    days = {one["id"] for one in reader.results("handling_time/read")}
    assert {one["value"] for offer in offers for one in offer["handling_time"]} <= days


def test_pages_and_counts_of_categories_lie_on_command_and_those_of_offers_do_not(
    sandbox: SandboxServer, reader: Reader
) -> None:
    true = reader.results("category/count")["noOfItems"]
    sandbox.add_fault("count_lies", resource="category/", difference=7)
    sandbox.add_fault("repeated_page", resource="category/", pages=[2])
    assert reader.results("category/count")["noOfItems"] == true + 7
    first, second = (reader.results("category/read", currentPage=number) for number in (1, 2))
    assert first == second
    assert reader.results("product_offer/count")["noOfItems"] == 250


def test_quirks_change_types_and_lose_nothing(sandbox: SandboxServer, reader: Reader) -> None:
    plain = reader.results("vat/read")
    sandbox.settings(quirk_share=1)
    served = reader.results("vat/read")
    assert list(served) == ["0", "1", "2"]
    assert served["0"] != plain[0]
    assert [float(one["vat_rate"]) for one in served.values()] == [one["vat_rate"] for one in plain]
