"""docs/decisions, docs/glossary.md, docs/architecture.md: one form, a whole index, and no name that does not exist."""

import re
from pathlib import Path

import pytest

from emag_pipeline.definitions import defs
from emag_pipeline.monitoring import metric_list
from emag_pipeline.settings.wrong_variables import known

_DOCS = Path(__file__).parents[2] / "docs"
_RECORDS = sorted((_DOCS / "decisions").glob("[0-9]*.md"))
_INDEX = _DOCS / "decisions" / "README.md"
_GLOSSARY = _DOCS / "glossary.md"
_PAGES = [*_RECORDS, _INDEX, _GLOSSARY, _DOCS / "architecture.md"]
_DICTIONARY = (_DOCS / "data-dictionary.md").read_text(encoding="utf-8")
_SECTIONS = ["Context", "Decision", "Consequences", "Rejected", "Revisit when"]


def _columns() -> dict[str, set[str]]:
    """The columns of each table and view, none of each function; the data dictionary has a test of its own."""
    parts = re.split(r"^### (emag_\w+)$", _DICTIONARY, flags=re.MULTILINE)
    return {
        name: set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def test_the_index_lists_every_record_by_its_title() -> None:
    listed = re.findall(r"^\| ([0-9]+) \| \[(.+?)\]\((.+?)\) \|", _INDEX.read_text(encoding="utf-8"), re.MULTILINE)
    assert _RECORDS
    assert [(page.name, _title(page)) for page in _RECORDS] == [
        (file, f"{number}. {title}") for number, title, file in listed
    ]


@pytest.mark.parametrize("record", _RECORDS, ids=lambda record: record.stem)
def test_a_record_says_why_what_else_was_thought_of_and_when_to_think_again(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == _SECTIONS
    for name, said in zip(_SECTIONS, re.split(r"^## .+$", text, flags=re.MULTILINE)[1:], strict=True):
        assert said.strip(), name


def test_each_word_of_the_glossary_is_there_once_with_a_meaning_and_a_place() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.*?) \| (.*?) \|$", _GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)
    words = [word for names, _, _ in rows for word in names.split(", ")]
    assert len(words) == len(set(words)) > 50, words
    assert [names for names, meaning, place in rows if not meaning or not place] == []


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_names_exist(page: Path) -> None:
    columns = _columns()
    metrics = {one.name for one in vars(metric_list).values() if isinstance(one, metric_list.Metric)}
    checks = {key.name for key in defs.resolve_asset_graph().asset_check_keys}
    columns_of_any = set().union(*columns.values())
    text = page.read_text(encoding="utf-8")
    for name, column in re.findall(r"`(emag_[a-z_]+)(?:\.([a-z_]+))?", text):
        assert name in columns.keys() | metrics, name
        assert not column or column in columns[name], f"{name}.{column}"
    for name in re.findall(r"`((?:EMAG|DB|DATABASE|DAGSTER)_[A-Z_]+)", text):
        assert name in known(), name
    for name in re.findall(r"check `(\w+)`", text):
        assert name in checks, name
    for name in re.findall(r"column `(\w+)`", text):
        assert name in columns_of_any, name
