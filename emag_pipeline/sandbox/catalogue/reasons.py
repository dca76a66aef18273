"""Why the marketplace refused a product or wants it improved, in the recorded forms.

Source: docs/marketplace-api.md, "Reasons of a refusal".
"""

from typing import Any

from emag_pipeline.sandbox.catalogue.chance import Chance

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
    """The `errors` of a verdict that refuses: the object, sometimes with warnings only, or the older list."""
    form = chance.below(10)
    if form < 2:
        return _older(chance)
    if form < 5:
        return _report(offer_id, chance, errors=[], warnings=_texts(_REASONS, chance))
    return _report(offer_id, chance, _texts(_REASONS, chance), _texts(_SUGGESTIONS, chance) if form < 7 else [])


def improvable(offer_id: int, chance: Chance) -> dict[str, Any]:
    """The `errors` of a verdict that accepts, with suggestions."""
    return _report(offer_id, chance, errors=[], warnings=_texts(_SUGGESTIONS, chance))


def documentation_errors(chance: Chance) -> list[dict[str, Any]]:
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
    """What the seller had sent, contacts included."""
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
    told = {"error_description": "Documentation error", "user_message": text, "reasons": [reason]}
    return [{"message": "Documentation error", "user_message": [told]}]
