"""The page on the marketplace's API says what the code says: modules, faults, fields, codes and platforms."""

import re
from pathlib import Path

from emag_pipeline.marketplace.normalise import FIELDS
from emag_pipeline.sandbox.catalogue.validation import DESCRIPTIONS, SALEABLE, SALEABLE_TRANSLATION
from emag_pipeline.sandbox.faults import OPTIONS
from emag_pipeline.settings.accounts import marketplace_of

_ROOT = Path(__file__).parents[2]
_PAGE = (_ROOT / "docs/marketplace-api.md").read_text(encoding="utf-8")
_SECTIONS = dict(re.findall(r"^#{2,3} (.+?)\n(.*?)(?=^#{2,3} |\Z)", _PAGE, re.MULTILINE | re.DOTALL))


def _names(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def test_every_module_that_it_names_exists() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|sql))`", _PAGE))
    assert len(named) > 30
    assert [path for path in sorted(named) if not (_ROOT / "emag_pipeline" / path).is_file()] == []


def test_it_names_every_fault_of_the_sandbox() -> None:
    assert OPTIONS.keys() - _names(_PAGE) == set()


def test_it_names_every_field_that_the_code_knows() -> None:
    fields_named = _names(_SECTIONS["Offer fields"]) | set(
        re.findall(r"\w+", _SECTIONS["Fields that the docs do not list"])
    )
    assert FIELDS - fields_named == set()


def test_its_codes_are_those_of_the_code() -> None:
    section = _SECTIONS["Validation statuses"]
    rows = re.findall(r"^\| (\d+) \| .+ \| (no|\*\*yes\*\*) \|$", section, re.MULTILINE)
    further = re.findall(r"\b(1[3-7]) [^()]+ \((no|\*\*yes\*\*)\)", section)
    assert {int(code) for code, _ in rows + further} == set(DESCRIPTIONS)
    assert {int(code) for code, word in rows if word != "no"} == SALEABLE
    assert {int(code) for code, word in rows + further if word != "no"} == SALEABLE_TRANSLATION


def test_its_platforms_are_those_of_the_code() -> None:
    row = re.compile(r"^\| .+ \| `(\w+)` \| `(https://\S+)` \| (\w\w)_\w\w \| (\w{3})\b", re.MULTILINE)
    rows = row.findall(_SECTIONS["Platforms"])
    assert len(rows) == 5
    for name, url, language, currency in rows:
        place = marketplace_of(url)
        assert (place.name, place.language, place.currency) == (name, language, currency)
