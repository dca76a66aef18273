"""The slow part of an offer: what the product is. It changes only when its seller rewrites the page."""

from typing import Any

from emag_pipeline.sandbox.catalogue import numbering, prose
from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.catalogue.goods import BRANDS, COLOURS, FAMILIES, GOODS, SERIES, Good

_IMAGES = "https://images.sandbox.example/res/images/"
_SHOP = "https://www.sandbox.example/"
_ASCII = str.maketrans("ăâîșțĂÂÎȘȚ ,.&/", "aaistAAIST-----")
_LISTS = tuple(
    "<ul><li>" + "</li><li>".join(prose.ADVANTAGES[(first + 5 * step) % 12] for step in range(4)) + "</li></ul>"
    for first in range(12)
)


def good_of(chance: Chance) -> Good:
    """The kind of goods of an offer; the first draw from its chance, so that prices can follow it."""
    return chance.pick(GOODS)


def content(offer_id: int, good: Good, chance: Chance, edition: int) -> dict[str, Any]:
    """Everything about the product that does not move with trade. `edition` counts its seller's rewrites."""
    brand, brand_code = chance.pick(BRANDS)
    traits = [(number, chance.pick(values)) for number, _, values in good.traits]
    model = f"{chance.pick(SERIES)} {100 + chance.below(900)}"
    colour = chance.pick(COLOURS)
    name = ", ".join([f"{good.noun} {brand} {model}", *(value for _, value in traits), colour])
    key = numbering.part_number_key(offer_id)
    return {
        "id": offer_id,
        "part_number_key": key,
        "part_number": numbering.part_number(brand_code, offer_id),
        "name": name,
        "brand": brand,
        "description": _description(name, chance, edition),
        "url": f"{_SHOP}{good.noun.translate(_ASCII).lower()}/pd/{key}/",
        "category_id": good.category_id,
        "vendor_category_id": good.category_id * 10 + chance.below(10),
        "ownership": 1 if chance.happens(800) else 2,
        "ean": _eans(offer_id, chance),
        "images": _images(offer_id, 2 + chance.below(4), edition),
        "characteristics": _characteristics(traits, colour, chance),
        "family": _family(offer_id, good, chance),
        "warranty": chance.pick((0, 12, 24, 24, 24, 36, 60)),
        "manufacturer": chance.happens(850),
        "eu_representative": chance.happens(400),
        "safety_information": chance.pick(prose.SAFETY_NOTES) if chance.happens(700) else None,
    }


def contacts(offer_id: int, role: str) -> list[dict[str, str]]:
    """The addresses behind `manufacturer` or `eu_representative`, as a read of one product shows them."""
    name, address = prose.MAKERS[(offer_id + len(role)) % len(prose.MAKERS)]
    return [{"name": name, "address": address, "email": f"{role}.{offer_id % 97}@sandbox.example"}]


def _description(name: str, chance: Chance, edition: int) -> str:
    tale = chance.below(5)
    parts = [
        f"<h2>{name}</h2>",
        f"<p><strong>{chance.pick(prose.OPENINGS)}</strong></p>",
        chance.pick(_LISTS),
        f"<p>{prose.LONG_TALES[tale]}</p>",
        f"<p>{prose.LONG_TALES[(tale + 1 + chance.below(4)) % 5]}</p>",
        f'<p class="nota">{prose.CLOSINGS[(chance.below(6) + edition) % 6]}</p>',
    ]
    return "\r\n".join(parts)


def _eans(offer_id: int, chance: Chance) -> list[str]:
    serial = offer_id * 7_919 % 10**9
    eans = [numbering.ean13("594", serial)]
    if chance.happens(100):
        eans.append(numbering.ean13("400", serial + 1))
    return [] if chance.happens(20) else eans


def _images(offer_id: int, number: int, edition: int) -> list[dict[str, Any]]:
    stem = f"{_IMAGES}{offer_id % 9973:04d}/{offer_id}-{edition}"
    return [{"url": f"{stem}-{place}.jpg", "display_type": min(place, 3) % 3} for place in range(1, number + 1)]


def _characteristics(traits: list[tuple[int, str]], colour: str, chance: Chance) -> list[dict[str, Any]]:
    pairs = [*traits, (9001, colour), (9002, f"{1 + chance.below(90)}.{chance.below(10)} kg")]
    pairs += [(9003, "România" if chance.happens(600) else "Uniunea Europeană"), (9004, "CE")]
    return [{"id": number, "value": value} for number, value in pairs]


def _family(offer_id: int, good: Good, chance: Chance) -> dict[str, Any] | None:
    if chance.happens(450):
        return None
    kind = chance.pick(FAMILIES)
    return {"id": good.category_id * 1000 + offer_id // 50 % 1000, "name": f"{good.noun} – {kind.lower()}"}
