"""Rows that cannot be represented, each as the package's docstring names it."""

from typing import Any

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox

Row = dict[str, Any]


def poisoned_and_true(sandbox: SandboxServer, row: str) -> tuple[Row, Row]:
    sandbox.add_fault("poison", row=row, pages=[1])
    return Reader(sandbox).page(1)[0], sandbox.truth_page("main", 1)[0]


def changed_fields(poisoned: Row, true: Row) -> set[str]:
    return {name for name in true if name not in poisoned or poisoned[name] != true[name]}


def test_nul_stands_in_the_name(sandbox: SandboxServer) -> None:
    poisoned, true = poisoned_and_true(sandbox, "nul")
    assert poisoned["name"].replace("\x00", "") == true["name"] != poisoned["name"]
    assert changed_fields(poisoned, true) == {"name"}


def test_a_price_is_no_number(sandbox: SandboxServer) -> None:
    poisoned, true = poisoned_and_true(sandbox, "price")
    assert poisoned["sale_price"] == "12,34,56 lei"
    assert changed_fields(poisoned, true) == {"sale_price"}


def test_an_id_is_missing(sandbox: SandboxServer) -> None:
    poisoned, true = poisoned_and_true(sandbox, "no_id")
    assert poisoned.keys() ^ true.keys() == {"id"}


def test_an_id_is_too_large_for_a_bigint(sandbox: SandboxServer) -> None:
    poisoned, true = poisoned_and_true(sandbox, "huge_id")
    assert poisoned["id"] > 2**63 - 1
    assert changed_fields(poisoned, true) == {"id"}


def test_a_name_is_a_hundred_thousand_characters_long(sandbox: SandboxServer) -> None:
    poisoned, true = poisoned_and_true(sandbox, "long_name")
    assert len(poisoned["name"]) > 90_000
    assert changed_fields(poisoned, true) == {"name"}


def test_a_text_holds_half_a_surrogate_pair(sandbox: SandboxServer) -> None:
    poisoned, true = poisoned_and_true(sandbox, "surrogate")
    assert poisoned["description"] == true["description"] + " \ud83d"
    assert changed_fields(poisoned, true) == {"description"}


def test_types_are_others_than_documented(sandbox: SandboxServer) -> None:
    poisoned, true = poisoned_and_true(sandbox, "types")
    assert changed_fields(poisoned, true) == {"name", "status", "sale_price", "ean", "images"}


def test_the_same_id_twice_makes_the_page_longer(sandbox: SandboxServer, reader: Reader) -> None:
    true = sandbox.ids("main")[:100]
    sandbox.add_fault("poison", row="same_id_twice", pages=[1])
    assert reader.ids(1) == [true[0], *true]


@pytest.mark.parametrize(("row", "field"), [("price_first", "sale_price"), ("no_id_first", "id")])
def test_a_spoilt_copy_stands_before_the_row(sandbox: SandboxServer, reader: Reader, row: str, field: str) -> None:
    sandbox.add_fault("poison", row=row, pages=[1])
    copy, true, *others = reader.page(1)
    assert len(others) == 99
    assert {name for name in true if copy.get(name) != true[name]} == {field}


def test_the_same_id_instead_of_the_next_keeps_the_pages_length(sandbox: SandboxServer, reader: Reader) -> None:
    true = sandbox.ids("main")[:100]
    sandbox.add_fault("poison", row="same_id_instead", pages=[1])
    assert reader.ids(1) == [true[0], true[0], *true[2:]]


def test_the_last_row_of_a_page_takes_its_neighbours_place(sandbox: SandboxServer, reader: Reader) -> None:
    true = sandbox.ids("main")[:100]
    sandbox.add_fault("poison", row="same_id_instead", offer_ids=[true[99]], pages=[1])
    assert reader.ids(1) == [*true[:98], true[99], true[99]]


def test_rows_counts_from_the_top_of_each_page(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("poison", row="nul", rows=3)
    for number in (1, 2, 3):
        assert ["\x00" in offer["name"] for offer in reader.page(number)[:5]] == [True] * 3 + [False] * 2


def test_poison_for_an_offer_meets_it_wherever_it_is_shown(sandbox: SandboxServer, reader: Reader) -> None:
    offer_id = sandbox.ids("main")[150]
    sandbox.add_fault("poison", row="price", offer_ids=[offer_id])
    poisoned = [
        offer["id"] for number in (1, 2, 3) for offer in reader.page(number) if "lei" in str(offer["sale_price"])
    ]
    by_id = reader.by_id(offer_id)
    assert poisoned == [offer_id]
    assert by_id is not None
    assert by_id["sale_price"] == "12,34,56 lei"


def test_poison_happens_only_where_there_are_rows(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("poison", count=1)
    assert reader.page(9) == []
    assert sandbox.faults()[0]["done"] == 0


@pytest.mark.parametrize("row", ["nul", "huge_id", "same_id_twice", "surrogate", "types"])
def test_quirky_rows_can_be_poisoned_too(open_sandbox: OpenSandbox, row: str) -> None:
    sandbox = open_sandbox(quirk_share=1)
    sandbox.add_fault("poison", row=row, rows=100)
    assert len(Reader(sandbox).page(1)) in (100, 200)


def test_the_truth_knows_no_poison(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("poison", row="types", rows=100)
    assert reader.page(1) != sandbox.truth_page("main", 1)
    sandbox.clear_faults()
    assert reader.page(1) == sandbox.truth_page("main", 1)
