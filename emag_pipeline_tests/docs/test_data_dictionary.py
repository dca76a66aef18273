"""Every table and column says what it means, and docs/data-dictionary.md is what they say."""

import re
from pathlib import Path

from emag_pipeline.admin.data_dictionary import GROUPS, PATH, rendered
from emag_pipeline.marts.issue_words import ISSUES, WORDS
from emag_pipeline.store import catalog
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.syncs import rows

_ROOT = Path(__file__).parents[2]
_LEAST_WORDS = 3


def test_no_table_view_or_column_is_without_words(database: Database) -> None:
    said = {table.name: table.comment for table in catalog.tables(database)}
    for table in catalog.tables(database):
        said |= {f"{table.name}.{column.name}": column.comment for column in table.columns}
    assert [name for name, comment in said.items() if len(comment.split()) < _LEAST_WORDS] == [], (
        "a migration that adds a table or a column comments it"
    )


def test_every_function_says_what_it_answers(database: Database) -> None:
    said = {function.name: function.comment for function in catalog.functions(database)}
    assert [name for name, comment in said.items() if len(comment.split()) < _LEAST_WORDS] == []


def test_every_table_stands_in_one_group(database: Database) -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(table.name for table in catalog.tables(database))


def test_the_dictionary_is_what_the_database_says(database: Database) -> None:
    assert (_ROOT / PATH).read_text(encoding="utf-8") == rendered(database), (
        "run `python -m emag_pipeline.admin.data_dictionary`"
    )


def test_the_dictionary_lists_every_issue_code_with_its_words(database: Database) -> None:
    _, section = (_ROOT / PATH).read_text("utf-8").split("## Issue codes")
    told = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", section, re.M)
    assert dict.fromkeys(code for code, *_ in told) == dict.fromkeys(ISSUES), "in their order"
    assert sorted(told) == sorted((code.partition(":")[0], one.reason, one.remedy) for code, one in WORDS.items())
    (definition,) = rows(
        database,
        "SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE proname = 'emag_issue_codes' AND pronargs = 7",
    )
    assert (given := set(re.findall(r"'([a-z]+(?:_[a-z]+)+|inactive)'", definition.text))), definition.text
    assert given <= ISSUES.keys()


def test_no_page_names_a_version_of_the_schema_that_is_past() -> None:
    assert re.findall(r"schema is at \d+", (_ROOT / "CHANGELOG.md").read_text("utf-8")) == []
