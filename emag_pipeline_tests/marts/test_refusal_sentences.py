"""Why the marketplace refused, in one sentence and one language: forms of refusals, and what is said of each."""

import json
from typing import Any

import pytest

from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.syncs import rows

_BRAND = {
    "en_GB": "The completed brand is not valid.",
    "ro_RO": "Brandul completat nu este valid.",
    "bg_BG": "Попълнената марка не е валидна.",
    "hu_HU": "A megadott márka nem érvényes.",
    "pl_PL": "The completed brand is not valid.",
}
_UUID = "1401fcf0-1be5-45db-a348-6cda0164d457"
_LONG = "Descrierea trebuie să conțină cel puțin cincizeci de cuvinte despre produs"


def _listed(*errors: object) -> list[object]:
    return list(errors)


def _object(errors: object = (), **parts: object) -> dict[str, object]:
    """The object that real accounts show, with what a reader does not want to see."""
    return {
        "status": "error", "request_id": "product-save_8123_48151623_1756000000_0", "doc_id": _UUID, "version": 4,
        "part_number_key": "D5DD9BBBM", "errors": list(errors) if isinstance(errors, tuple) else errors,
        "seller_input": {"brand": {"name": "Noname"}, "photo_gallery": [{"url": "https://x.ro/1.jpg"}]}, **parts,
    }  # fmt: skip


#: the verdict's `errors`, `doc_errors`, and what is said
_FORMS: list[tuple[str, Any, Any, str]] = [
    (
        "an object of errors by locale",
        _object(({"code": "brand:incorrect-brand", "message": _BRAND, "section": "brand", "extra_info": None},)),
        None,
        "Brandul completat nu este valid",
    ),
    (
        "errors before warnings",
        _object(
            ({"code": 1, "message": {"ro_RO": "Lipsește imaginea"}},),
            warnings=[{"code": 2, "message": {"ro_RO": "Descrierea este scurtă"}}],
        ),
        None,
        "Lipsește imaginea; Descrierea este scurtă",
    ),
    (
        "warnings only",
        _object(warnings=[{"code": 2, "message": {"ro_RO": "Descrierea este scurtă"}, "extraInfo": ""}]),
        None,
        "Descrierea este scurtă",
    ),
    (
        "extraInfo as text",
        _object(({"code": 3, "message": {"ro_RO": "Valoare nepermisă."}, "extraInfo": "Material: Aur"},)),
        None,
        "Valoare nepermisă (Material: Aur)",
    ),
    (
        "extra_info as an object of locales, a message as text",
        _object(({"code": 3, "message": "Valoare nepermisă", "extra_info": {"ro_RO": "Aur", "en_GB": "Gold"}},)),
        None,
        "Valoare nepermisă (Aur)",
    ),
    (
        "extraInfo as a list with an id",
        _object(({"message": {"ro": "Produs duplicat"}, "extraInfo": ["alt produs", 48151623]},)),
        None,
        "Produs duplicat (alt produs)",
    ),
    (
        "two-letter locales",
        _object(({"message": {"ro": "Fără garanție", "en": "No warranty"}},)),
        None,
        "Fără garanție",
    ),
    (
        "English where the language is missing",
        _object(({"message": {"bg_BG": "Невалиден EAN", "en_GB": "Invalid EAN", "ro_RO": ""}},)),
        None,
        "Invalid EAN",
    ),
    (
        "any language where there is no English",
        _object(({"message": {"hu_HU": "Hibás vonalkód", "ro_RO": None}},)),
        None,
        "Hibás vonalkód",
    ),
    (
        "the older list: descriptions and the seller's reasons",
        _listed(
            {
                "message": "documentation_refused",
                "user_message": [
                    {
                        "error_description": "Imagini neconforme",
                        "user_message": "Înlocuiește imaginile",
                        "reasons": [
                            {"seller_text": "Logo pe imaginea principală", "user_message": "Fără logo"},
                            {"seller_text": "", "user_message": "Fundalul nu este alb"},
                        ],
                    }
                ],
            }
        ),
        None,
        "Imagini neconforme; Logo pe imaginea principală; Fundalul nu este alb",
    ),
    (
        "the older list without details",
        _listed({"message": "Denumire greșită", "user_message": []}),
        None,
        "Denumire greșită",
    ),
    ("a list of texts", _listed("Preț lipsă", "Preț lipsă.", "preț lipsă"), None, "Preț lipsă"),
    ("one text", "Marcă respinsă", None, "Marcă respinsă"),
    ("a list of codes and messages", _listed({"code": 101, "message": "Prea scurtă"}), None, "Prea scurtă"),
    (
        "doc_errors as a list beside the verdict's errors, duplicates once",
        _listed({"code": 101, "message": "Prea scurtă"}),
        [{"code": 201, "message": "prea scurtă"}, "Fără imagine"],
        "Prea scurtă; Fără imagine",
    ),
    ("doc_errors as text", None, "Lipsesc caracteristici", "Lipsesc caracteristici"),
    (
        "doc_errors by field",
        None,
        {"name": ["Denumire prea lungă"], "images": {"0": "Imagine neclară"}, "request_id": "abc"},
        "Denumire prea lungă; Imagine neclară",
    ),
    (
        "doc_errors of the object form",
        None,
        _object(({"message": _BRAND},), warnings=["Atenție la garanție"]),
        "Brandul completat nu este valid; Atenție la garanție",
    ),
    (
        "warnings of the verdict come after doc_errors",
        _object(warnings=["Descriere scurtă"]),
        ["Fără marcă"],
        "Fără marcă; Descriere scurtă",
    ),
    (
        "ids, UUIDs and codes",
        _listed(
            f"[E1023] Produsul 594123456789 (id: 48151623) există deja, doc {_UUID}", "photoGallery:other-language"
        ),
        None,
        "Produsul există deja, doc",
    ),
    (
        "picture addresses",
        _listed(
            "Imaginea https://marketplace-static.emag.ro/resources/000/33582903.jpg?w=1, de pe poziția 2, are text",
            "Imagine inaccesibilă (//s13emagst.akamaized.net/a.png); imagini/poza_1.webp",
        ),
        None,
        "Imaginea, de pe poziția 2, are text; Imagine inaccesibilă",
    ),
    (
        "e-mail addresses; a short number in brackets stays",
        _listed("Producătorul (elena.ionescu@firma.ro) nu este valid la poziția [2]"),
        None,
        "Producătorul nu este valid la poziția [2]",
    ),
    (
        "HTML tags and entities, white space",
        _listed(
            "<p>Titlul <b>nu</b>&nbsp;respectă<br/>formatul &amp; &#539;ara</p>\n\t"
            "&lt;i&gt;&Icirc;ntre 3 &lt; 5&lt;/i&gt;"
        ),
        None,
        "Titlul nu respectă formatul & țara Între 3 < 5",
    ),
    (
        "numbers that say something stay",
        _listed("Prețul trebuie să fie între 10,50 și 100387.58 RON, cel mult 4000 de caractere"),
        None,
        "Prețul trebuie să fie între 10,50 și 100387.58 RON, cel mult 4000 de caractere",
    ),
    ("nothing but the verdict's name", None, None, "Documentation rejected"),
    ("empty errors of every form", _object(({"code": 5, "message": {}},), warnings=[]), [], "Documentation rejected"),
    (
        "a code and an id only",
        _object(({"code": "x:y", "message": "brand:incorrect-brand"},)),
        None,
        "Documentation rejected",
    ),
]

_SAID = "SELECT emag_refusal_said(:code, CAST(:details AS jsonb), CAST(:doc_errors AS jsonb), :language) AS said"


@pytest.fixture
def database(read_only_database: Database) -> Database:
    return read_only_database


def _said(
    database: Database, errors: object, doc_errors: object = None, language: str | None = "ro", code: str = "product_8"
) -> str | None:
    field = {"product": "validation_status", "translation": "translation_validation_status"}[code.split("_")[0]]
    verdict = {"value": 8, "description": "Documentation rejected", "errors": errors}
    details = {field: [{"value": 9, "description": "Documentation approved", "errors": ["nu este vorba"]}, verdict]}
    (row,) = rows(
        database,
        _SAID,
        code=code,
        details=json.dumps(details),
        doc_errors=json.dumps(doc_errors) if doc_errors is not None else None,
        language=language,
    )
    said: str | None = row.said
    return said


@pytest.mark.parametrize(
    ("errors", "doc_errors", "said"), [form[1:] for form in _FORMS], ids=[form[0] for form in _FORMS]
)
def test_a_refusal_is_one_sentence(database: Database, errors: object, doc_errors: object, said: str) -> None:
    assert _said(database, errors, doc_errors) == said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ro", "Brandul completat nu este valid"),
        ("bg", "Попълнената марка не е валидна"),
        ("hu", "A megadott márka nem érvényes"),
        ("de", "The completed brand is not valid"),
        (None, "The completed brand is not valid"),
    ],
)
def test_the_language_is_the_one_asked_for_else_english(database: Database, language: str | None, said: str) -> None:
    assert _said(database, _object(({"message": _BRAND},)), language=language) == said


def test_a_long_sentence_is_cut_at_a_word(database: Database) -> None:
    said = _said(database, [f"{_LONG} {number}" for number in range(20)])
    assert said is not None
    assert said.endswith("…")
    assert 300 < len(said) <= 400
    assert said.removesuffix("…").split()[-1].rstrip(";") in {*_LONG.split(), *map(str, range(20))}


def test_a_long_word_is_cut_too(database: Database) -> None:
    said = _said(database, ["ș" * 1000])
    assert said == "ș" * 399 + "…"


def test_the_translations_own_verdict_is_quoted(database: Database) -> None:
    said = _said(database, ["Traducere incompletă"], ["Documentația produsului"], code="translation_8")
    assert said == "Traducere incompletă"


@pytest.mark.parametrize(
    "code", ["inactive", "out_of_stock", "product_not_validated", "translation_14", "price_invalid"]
)
def test_a_code_without_a_refusal_has_nothing_said(database: Database, code: str) -> None:
    (row,) = rows(
        database,
        _SAID,
        code=code,
        details=json.dumps(
            {"validation_status": [], "translation_validation_status": [{"value": 9, "description": "ok"}]}
        ),
        doc_errors=json.dumps(["nu este vorba"]),
        language="ro",
    )
    assert row.said is None


def test_an_offer_without_details_has_nothing_said(database: Database) -> None:
    assert rows(database, _SAID, code="product_8", details=None, doc_errors=None, language=None)[0].said is None


def test_errors_that_are_nested_without_end_cost_no_refresh(database: Database) -> None:
    nested = json.loads("[" * 900 + '"adânc"' + "]" * 900)
    assert _said(database, ["Preț lipsă", nested]) == "Preț lipsă"
