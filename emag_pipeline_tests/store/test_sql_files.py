"""Files of named statements: what the loader makes of them, and that every file of ours is such a one."""

import re
from pathlib import Path

import pytest

import emag_pipeline
from emag_pipeline.store.sql import filled, fragments, statements

_PACKAGE = Path(emag_pipeline.__file__).parent
_FILES = sorted(
    str(file.relative_to(_PACKAGE))
    for file in _PACKAGE.rglob("*.sql")
    if "versions" not in file.parts and "-- name: " in file.read_text(encoding="utf-8")
)
_TEXT = """-- What the file is about: no part of a statement.

-- fragment: living
-- Offers that exist.
o.deleted_at IS NULL

-- fragment: known
{living} AND o.account_type = :account

-- name: count
-- How many; two lines
-- on its purpose.
SELECT count(*) FROM emag_product_offers o WHERE {known};

-- name: of
SELECT {columns}  -- what is left stands for what the caller puts there
FROM emag_product_offers o;
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "offers.sql"
    path.write_text(_TEXT, encoding="utf-8")
    return str(path)


def test_a_fragment_stands_in_statements_and_fragments_behind_it(file: str) -> None:
    assert statements(file)["count"] == (
        "SELECT count(*) FROM emag_product_offers o WHERE o.deleted_at IS NULL AND o.account_type = :account"
    )
    assert fragments(file) == {
        "living": "o.deleted_at IS NULL",
        "known": "o.deleted_at IS NULL AND o.account_type = :account",
    }


def test_lines_on_purpose_are_not_sent_and_other_comments_and_words_are(file: str) -> None:
    assert statements(file).keys() == {"count", "of"}
    assert statements(file)["of"].startswith("SELECT {columns}  -- what is left")


def test_words_in_braces_are_replaced_also_in_what_replaces_them() -> None:
    words = {"offers": "(SELECT {columns} FROM emag_product_offers)", "columns": "emag_offer_id", "unused": "{unknown}"}
    assert filled("SELECT {columns} FROM {offers} o", words) == (
        "SELECT emag_offer_id FROM (SELECT emag_offer_id FROM emag_product_offers) o"
    )


def test_the_schema_is_left_for_the_transaction_and_braces_without_a_word_are_no_words() -> None:
    sql = "SELECT '{}'::text[], '{1,2}'::int[] FROM {schema}.emag_product_offers WHERE part_number ~ '[0-9]{8}'"
    assert filled(sql, {}) == sql


def test_a_word_without_text_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"^the SQL has the word \{tabel\}, .* known words: columns, table$"):
        filled("SELECT {columns} FROM {tabel}", {"table": "emag_product_offers", "columns": "emag_offer_id"})


def test_words_that_replace_each_other_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^the SQL has the word \{offers\}"):
        filled("SELECT * FROM {offers}", {"offers": "({living})", "living": "SELECT * FROM {offers}"})


@pytest.mark.parametrize("name", _FILES)
def test_every_file_has_each_name_once_and_leaves_no_fragment_out(name: str) -> None:
    text = (_PACKAGE / name).read_text(encoding="utf-8")
    headings = re.findall(r"^-- (?:name|fragment): (\w+)$", text, re.MULTILINE)
    assert len(headings) == len(set(headings))
    assert headings == re.findall(r"^-- *(?:name|fragment)\b *: *(\S+)", text, re.MULTILINE)
    left = [one for sql in statements(name).values() for one in fragments(name) if f"{{{one}}}" in sql]
    assert left == []
