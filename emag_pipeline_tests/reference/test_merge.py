"""Reference data is merged whole: new, changed, gone and returned rows, and nothing for what stayed."""

from typing import Any

import pytest

from emag_pipeline.errors import ScanNotProven
from emag_pipeline.reference import tables
from emag_pipeline.reference.tables import CATEGORIES, HANDLING_TIMES, VAT_RATES, Merged
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounts import note_accounts
from emag_pipeline_tests.sync.syncs import rows

_STORED = "SELECT vat_id, rate, deleted_at IS NOT NULL AS gone, xmin::text FROM emag_vat_rates ORDER BY 1"


def _vat(vat_id: int, rate: str) -> dict[str, Any]:
    return {"vat_id": vat_id, "rate": rate, "raw": f'{{"vat_id":{vat_id},"note":"cotă"}}'}


def _merge(database: Database, *read: dict[str, Any], is_whole: bool = True, marketplace: str = "emag_ro") -> Merged:
    return tables.merge(database, VAT_RATES, marketplace, read, account="main", is_whole=is_whole)


def _stored(database: Database) -> list[tuple[int, str, bool]]:
    return [(row.vat_id, str(row.rate), row.gone) for row in rows(database, _STORED)]


def test_new_rows_are_created_and_changed_ones_updated(database: Database) -> None:
    assert _merge(database, _vat(1, "0.21"), _vat(2, "0.11")) == Merged(2, 0, 0, 0, rows=2)
    assert _merge(database, _vat(1, "0.19"), _vat(2, "0.11"), _vat(3, "0")) == Merged(1, 1, 0, 0, rows=3)
    assert _stored(database) == [(1, "0.1900", False), (2, "0.1100", False), (3, "0.0000", False)]


def test_an_unchanged_read_writes_no_row_but_is_noted(database: Database) -> None:
    _merge(database, _vat(1, "0.21"), _vat(2, "0.11"))
    before, read_at = rows(database, _STORED), tables.last_reads(database, "emag_ro")["vat_rates"]
    assert _merge(database, _vat(2, "0.11"), _vat(1, "0.21")) == Merged(0, 0, 0, 0, rows=2)
    assert rows(database, _STORED) == before
    assert tables.last_reads(database, "emag_ro")["vat_rates"] > read_at


def test_a_row_that_is_shown_no_longer_gets_a_tombstone_and_is_revived_when_it_returns(database: Database) -> None:
    _merge(database, _vat(1, "0.21"), _vat(2, "0.11"))
    assert _merge(database, _vat(1, "0.21")) == Merged(0, 0, 0, deleted=1, rows=1)
    assert _stored(database) == [(1, "0.2100", False), (2, "0.1100", True)]
    assert _merge(database, _vat(1, "0.21"), _vat(2, "0.11")) == Merged(0, 0, revived=1, deleted=0, rows=2)
    assert _stored(database) == [(1, "0.2100", False), (2, "0.1100", False)]


def test_a_part_gives_no_tombstones(database: Database) -> None:
    _merge(database, _vat(1, "0.21"), _vat(2, "0.11"))
    assert _merge(database, _vat(1, "0.21"), is_whole=False).rows == 2


def test_an_empty_answer_is_not_believed_while_rows_are_stored(database: Database) -> None:
    assert _merge(database).rows == 0
    _merge(database, _vat(1, "0.21"))
    with pytest.raises(ScanNotProven, match="shows no vat rates: 1 are stored"):
        _merge(database)
    assert _stored(database) == [(1, "0.2100", False)]


def test_each_marketplace_has_rows_of_its_own(database: Database) -> None:
    _merge(database, _vat(1, "0.21"), _vat(2, "0.11"))
    assert _merge(database, _vat(1, "0.27"), marketplace="emag_hu") == Merged(1, 0, 0, 0, rows=1)
    assert sorted(_stored(database)) == [(1, "0.2100", False), (1, "0.2700", False), (2, "0.1100", False)]


def test_categories_and_handling_times_are_stored_with_all_that_is_known(database: Database) -> None:
    category = {
        "category_id": 7, "name": "Fierbătoare", "names": {"ro": "Fierbătoare", "en": "Kettles"}, "parent_id": None,
        "is_allowed": True, "is_ean_mandatory": False, "is_warranty_mandatory": None, "raw": '{"id":"7"}',
    }  # fmt: skip
    tables.merge(database, CATEGORIES, "emag_ro", [category], account="fbe", is_whole=True)
    tables.merge(database, HANDLING_TIMES, "emag_ro", [{"days": 3, "raw": "{}"}], account="fbe", is_whole=True)
    (stored,) = rows(database, "SELECT * FROM emag_categories")
    assert {name: getattr(stored, name) for name in category} == category | {"raw": {"id": "7"}}
    assert rows(database, "SELECT days FROM emag_handling_times")[0].days == 3
    reads = rows(database, "SELECT resource, rows, account_type AS account FROM emag_reference_reads ORDER BY 1")
    assert [tuple(row) for row in reads] == [("categories", 1, "fbe"), ("handling_times", 1, "fbe")]


def test_an_account_is_noted_once_and_again_when_it_moves(database: Database) -> None:
    noted = "SELECT account_type, marketplace, currency, xmin::text FROM emag_accounts ORDER BY 1"
    note_accounts(database, [("main", "emag_ro", "RON"), ("fbe", "example.com", None)])
    before = rows(database, noted)
    note_accounts(database, [("main", "emag_ro", "RON")])
    assert rows(database, noted) == before
    note_accounts(database, [("main", "emag_bg", "EUR")])
    assert [tuple(row)[:3] for row in rows(database, noted)] == [
        ("fbe", "example.com", None),
        ("main", "emag_bg", "EUR"),
    ]
