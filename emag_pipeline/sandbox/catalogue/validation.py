"""The marketplace's verdicts on a product, its translation and its price: the reasons, and whether it can be sold."""

from collections.abc import Mapping
from typing import Any

from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.catalogue.reading import number, unreadable, verdict_codes, whole

# Why the marketplace refused a product or wants it improved, in the recorded forms.
#
# Source: docs/marketplace-api.md, "Reasons of a refusal".

#: code, and text by locale
_REASONS: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "images:promotional-text",
        {
            "ro_RO": "Imaginea principală conține text promoțional",
            "en_GB": "The main image holds promotional text",
            "bg_BG": "Основното изображение съдържа рекламен текст",
        },
    ),
    (
        "name:format",
        {
            "ro_RO": "Denumirea nu respectă formatul categoriei",
            "en_GB": "The name does not follow the category's format",
        },
    ),
    (
        "ean:conflict",
        {"ro_RO": "Codul EAN este deja asociat altui produs", "en_GB": "The EAN belongs to another product already"},
    ),
    ("description:too-short", {"ro_RO": "Descrierea este prea scurtă", "hu_HU": "A leírás túl rövid"}),
    (
        "characteristics:mandatory",
        {
            "ro_RO": "Lipsesc caracteristici obligatorii: Material, Țară de origine",
            "en_GB": "Mandatory characteristics are missing: Material, Country of origin",
        },
    ),
    ("brand:incorrect-brand", {"en_GB": "The brand is not the one on the package"}),
)
_SUGGESTIONS: tuple[tuple[str, dict[str, str]], ...] = (
    ("images:too-few", {"ro_RO": "Recomandăm cel puțin 4 imagini", "en_GB": "We recommend 4 images or more"}),
    ("requestedValue:suggestion", {"ro_RO": "Valoare sugerată pentru Culoare", "en_GB": "Suggested value for Colour"}),
)
_EXTRAS = (None, None, "Material", "Culoare: Verde măsliniu", "8 / 255")


def refused(offer_id: int, chance: Chance) -> Any:
    """The `errors` of a refusing verdict: the object, sometimes with warnings only, or the older list."""
    form = chance.below(10)
    if form < 2:
        return _older(chance)
    if form < 5:
        return _report(offer_id, chance, errors=[], warnings=_texts(_REASONS, chance))
    return _report(offer_id, chance, _texts(_REASONS, chance), _texts(_SUGGESTIONS, chance) if form < 7 else [])


def improvable(offer_id: int, chance: Chance) -> dict[str, Any]:
    """The `errors` of an accepting verdict, with suggestions."""
    return _report(offer_id, chance, errors=[], warnings=_texts(_SUGGESTIONS, chance))


def documentation_reasons(chance: Chance) -> list[dict[str, Any]]:
    """The value of `doc_errors` of a refused documentation."""
    first = chance.below(len(_REASONS))
    chosen = [_REASONS[place % len(_REASONS)] for place in (first, first + 1)]
    return [{"code": 200 + place, "message": next(iter(texts.values()))} for place, (_, texts) in enumerate(chosen)]


def _texts(pool: tuple[tuple[str, dict[str, str]], ...], chance: Chance) -> list[dict[str, Any]]:
    first, number = chance.below(len(pool)), 1 + chance.below(2)
    chosen = [pool[(first + step) % len(pool)] for step in range(number)]
    return [{"code": code, "message": texts, "extraInfo": chance.pick(_EXTRAS)} for code, texts in chosen]


def _report(offer_id: int, chance: Chance, errors: list[Any], warnings: list[Any]) -> dict[str, Any]:
    version = 1 + chance.below(9)
    return {
        "errors": errors,
        "warnings": warnings,
        "seller_input": _seller_input(offer_id, version),
        "request_id": f"product-save_4711_{offer_id}_{1_760_000_000 + offer_id % 9973}_0",
        "doc_id": offer_id * 3 + version,
        "version": version,
        "status": "error" if errors else "warning",
    }


def _seller_input(offer_id: int, version: int) -> dict[str, Any]:
    """The data sent by the seller, contacts included."""
    return {
        "ext_id": offer_id,
        "version": version,
        "brand": {"eis_id": None, "name": "Fără Nume"},
        "photo_gallery": [{"url": f"https://images.sandbox.example/upload/{offer_id}.jpg", "is_main": True}],
        "characteristics": [{"id": 9001, "values": [{"value": "Verde"}]}],
        "manufacturer": [{"name": "Elena Ionescu", "email": f"elena.{offer_id % 97}@sandbox.example"}],
    }


def _older(chance: Chance) -> list[dict[str, Any]]:
    _, texts = chance.pick(_REASONS)
    text = next(iter(texts.values()))
    reason = {"seller_text": text, "user_message": f"{text}."}
    error = {"error_description": "Documentation error", "user_message": text, "reasons": [reason]}
    return [{"message": "Documentation error", "user_message": [error]}]


#
# Source: docs/marketplace-api.md, "Validation statuses", "When an offer can be bought".

DESCRIPTIONS: dict[int, str] = {
    0: "Draft",
    1: "In marketplace validation",
    2: "Awaiting brand validation",
    3: "Awaiting EAN approval",
    4: "New documentation awaiting validation",
    5: "Brand rejected",
    6: "EAN rejected",
    8: "Documentation rejected",
    9: "Documentation approved",
    10: "Blocked",
    11: "Update awaiting approval",
    12: "Update rejected",
    13: "Waiting for a saleable offer",
    14: "Translation failed",
    15: "Being translated",
    16: "Translation pending",
    17: "Partial translation, published",
}
SALEABLE = frozenset({3, 9, 11, 12})
SALEABLE_TRANSLATION = SALEABLE | {17}
DRAFT = 0
LOST_EAN_CONFLICT = 6
REFUSED = frozenset({5, 6, 8, 12, 14})

_COMMON = (9,) * 14 + (11,) * 3 + (12,) * 2 + (3,)
_RARE = (0, 1, 2, 4, 5, 6, 8, 10)
_RARE_TRANSLATION = (0, 1, 2, 4, 5, 6, 8, 10, 13, 14, 15, 16)
_TRANSLATION = (9,) * 10 + (17,) * 4 + (11,) * 2 + (12, 3)


def product_code(chance: Chance, turn: int) -> int:
    """The product's validation code. Rare codes take turns, so that every one of them occurs in 200 offers."""
    return _RARE[turn // 13 % len(_RARE)] if turn % 13 == 0 else chance.pick(_COMMON)


def translation_code(chance: Chance, turn: int) -> int | None:
    """The translation's code, None for an untranslated product; every code occurs in 400 offers."""
    if turn % 5:
        return None
    tenth = turn // 5
    return _RARE_TRANSLATION[tenth // 6 % 12] if tenth % 6 == 0 else chance.pick(_TRANSLATION)


def verdict(code: int, offer_id: int, chance: Chance) -> dict[str, Any]:
    """One element of `validation_status` or `translation_validation_status`."""
    errors = None
    if code in REFUSED:
        errors = refused(offer_id, chance)
    elif chance.happens(40):
        errors = improvable(offer_id, chance)
    return {"value": code, "description": DESCRIPTIONS[code], "errors": errors}


def documentation_errors(code: int, chance: Chance) -> list[dict[str, Any]] | None:
    """The value of `doc_errors`: None unless the documentation was refused, and even then in half of the cases."""
    return documentation_reasons(chance) if code == 8 and chance.happens(500) else None


def codes(verdicts: object) -> list[int]:
    """The codes of verdicts; an empty list if any of them is unreadable."""
    return verdict_codes(verdicts) or []


def is_saleable(offer: Mapping[str, Any]) -> bool:
    """True if a customer can buy it: stock, status, price and every verdict are readable and allow it."""
    product = codes(offer.get("validation_status"))
    return (
        not unreadable(offer)
        and (number(offer.get("general_stock")) or 0) > 0
        and (number(offer.get("sale_price")) or 0) > 0
        and whole(offer.get("status")) == 1
        and max(codes(offer.get("offer_validation_status")), default=None) == 1
        and bool(product)
        and SALEABLE.issuperset(product)
        and SALEABLE_TRANSLATION.issuperset(codes(offer.get("translation_validation_status")))
    )
