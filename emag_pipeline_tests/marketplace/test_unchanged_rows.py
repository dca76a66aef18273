"""A row that is written as it was when its offer was published is not read again; any other one is."""

import json
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from emag_pipeline.marketplace import fingerprint
from emag_pipeline.marketplace.json_text import parse_answer
from emag_pipeline.marketplace.pages import page_of
from emag_pipeline.model import AsPublished, Offer, Page, Unchanged

Known = dict[int, AsPublished]


def _page(rows: list[Any], known: Known | None = None, size: int = 100) -> Page:
    answer = parse_answer(json.dumps({"isError": False, "results": rows}).encode())
    assert isinstance(answer, dict)

    def published(ids: Collection[int]) -> Mapping[int, AsPublished]:
        assert all(0 < one < 2**32 for one in ids), "no offer has such an id"
        return {one: known[one] for one in ids if one in known} if known else {}

    return page_of(1, size, answer["results"], published=published)


def _remembered(page: Page) -> Known:
    """What a publish of the page remembers."""
    found = [offer for offer in page.offers if isinstance(offer, Offer)]
    return {
        one.emag_offer_id: AsPublished(one.row_digest, one.row_hash, one.content_hash, one.noticed)
        for one in found
        if one.row_digest
    }


def _row_of(number: int) -> dict[str, Any]:
    return {"id": number, "name": f"Cafea {number}", "sale_price": 10.5, "general_stock": 3, "status": 1}


_ROWS = [_row_of(number) for number in (1, 2, 3)]


def test_the_same_rows_are_unchanged_and_the_page_is_the_same() -> None:
    first = _page(_ROWS)
    again = _page(_ROWS, _remembered(first))
    assert [type(one) for one in again.offers] == [Unchanged] * 3
    assert (again.ids, again.content_hash, again.rejects) == (first.ids, first.content_hash, ())
    assert [(one.row_hash, one.content_hash) for one in again.offers] == [
        (one.row_hash, one.content_hash) for one in first.offers
    ]


@pytest.mark.parametrize(
    "change",
    [{"sale_price": 10.51}, {"name": "Ceai"}, {"unknown_field": 1}, {"general_stock": "3"}, {"id": "2"}, {"id": 2.0}],
    ids=str,
)
def test_a_row_that_is_written_otherwise_is_read(change: dict[str, Any]) -> None:
    known = _remembered(_page(_ROWS))
    kinds = {one.emag_offer_id: type(one) for one in _page([_ROWS[0], _ROWS[1] | change, _ROWS[2]], known).offers}
    assert kinds == {1: Unchanged, 2: Offer, 3: Unchanged}


@pytest.mark.parametrize(
    "field",
    [
        {"new_thing": 7, "newer": [1]},
        {"new_thing": {"a": 'x"\\\n'}, "na\ud800me": "\x00\t…@"},
        {"brand": [1]},
        {"name": "a\0b"},
        {"seller_address": "x"},
    ],
    ids=ascii,
)
def test_what_was_noticed_in_a_row_is_noticed_each_time_though_it_is_not_read_again(field: dict[str, Any]) -> None:
    page = _page([_row_of(1) | field, _row_of(2), _row_of(3) | field])
    assert page.surprises
    again = _page([_row_of(1) | field, _row_of(2), _row_of(3) | field], _remembered(page))
    assert [type(one) for one in again.offers] == [Unchanged] * 3
    assert again.surprises == page.surprises
    assert {one.times for one in again.surprises} == {2}


@pytest.mark.parametrize("field", [{"sale_price": "much"}, {"translation_validation_status": "?"}, {"status": []}])
def test_a_row_that_rests_on_what_cannot_be_read_is_read_each_time(field: dict[str, Any]) -> None:
    assert _remembered(_page([_row_of(1) | field])) == {}


def test_of_another_offer_the_same_text_is_not_known() -> None:
    known = _remembered(_page(_ROWS))
    swapped = {1: known[2], 2: known[1], 3: known[3]}
    assert [type(one) for one in _page(_ROWS, swapped).offers] == [Offer, Offer, Unchanged]


def test_rows_without_a_usable_id_and_answers_that_are_no_list_are_read_as_ever() -> None:
    known = _remembered(_page(_ROWS))
    odd = [_ROWS[0], {"name": "Nimeni"}, 7, None, _row_of(2**40), _row_of(-3), {**_row_of(1), "id": True}]
    page = _page(odd, known)
    assert [type(one) for one in page.offers] == [Unchanged]
    assert len(page.rejects) == 6
    keyed = page_of(1, 100, {"0": _ROWS[0]}, published=lambda _: known)
    assert [type(one) for one in keyed.offers] == [Offer]


def test_an_id_that_is_written_as_text_is_one() -> None:
    rows = [_row_of(1) | {"id": "1"}, _row_of(2) | {"id": "2"}]
    assert [type(one) for one in _page(rows, _remembered(_page(rows))).offers] == [Unchanged] * 2


def test_a_row_that_stands_twice_is_set_aside_as_ever() -> None:
    first = _page(_ROWS)
    twice = [*_ROWS, _ROWS[0], _ROWS[1] | {"sale_price": 99}]
    plain, again = _page(twice), _page(twice, _remembered(first))
    assert [type(one) for one in again.offers] == [Unchanged] * 3
    assert again.rejects == plain.rejects
    assert (again.ids, again.content_hash) == (plain.ids, plain.content_hash)


def test_by_other_rules_every_row_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    known = _remembered(_page(_ROWS))
    monkeypatch.setattr(fingerprint, "of_rules", lambda: b"another version")
    assert [type(one) for one in _page(_ROWS, known).offers] == [Offer] * 3


def test_the_rules_are_the_code_that_reads_rows() -> None:
    assert len(fingerprint.of_rules()) == 16
    assert fingerprint.of_rules() == fingerprint._of_code()
