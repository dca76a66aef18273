"""The product fields of an offer, which change only when the seller edits the product page."""

from typing import Any

from emag_pipeline.sandbox.catalogue import numbering
from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.catalogue.goods import BRANDS, COLOURS, FAMILIES, GOODS, SERIES, Good

# Sentences for descriptions and safety notes: Romanian, with all diacritics and some HTML.

OPENINGS = (
    "Fie că ești la început de drum, fie că ai deja experiență, acest produs îți va ușura munca de zi cu zi.",
    "Gândit pentru familiile care prețuiesc lucrurile bine făcute, rezistă an după an fără să-și piardă farmecul.",
    "Un cadou potrivit în orice anotimp: îl primești ambalat îngrijit, cu instrucțiuni în limba română.",
    "Tradiția meșterilor din Maramureș se întâlnește cu tehnologia de azi, fără compromisuri.",
    "Îți dorești ceva simplu, trainic și ușor de întreținut? Ai ajuns exact unde trebuie!",
    "Redescoperă plăcerea lucrurilor mărunte, într-un design care se potrivește în orice încăpere.",
    "Testat în condiții grele – ploaie, praf și îngheț –, produsul acesta nu te va dezamăgi.",
    "Economisește timp și energie: randamentul este cu până la 35% mai bun decât al generației precedente.",
)

ADVANTAGES = (
    "Finisaj rezistent la zgârieturi și la pete, ușor de șters cu o lavetă umedă",
    "Mâner ergonomic, antiderapant, potrivit și pentru stângaci",
    "Consum redus de energie & funcționare silențioasă (sub 55 dB)",
    "Materiale certificate, fără substanțe dăunătoare sănătății",
    "Se montează în câteva minute, fără unelte suplimentare",
    "Piese de schimb disponibile timp de cel puțin 7 ani",
    "Protecție la supraîncălzire și oprire automată",
    "Ambalaj din carton reciclat, fără plastic de unică folosință",
    "Greutate mică, potrivit pentru călătorii și drumeții",
    "Dimensiuni compacte: încape în cele mai strâmte spații",
    "Culoare stabilă la lumină și la spălări repetate",
    "Conceput și verificat în România, după norme europene",
)

CLOSINGS = (
    "Pachetul conține produsul, accesoriile de bază, certificatul de garanție și manualul în limba română.",
    "Nuanțele pot diferi ușor față de fotografii, în funcție de setările ecranului dumneavoastră.",
    "Returul este gratuit timp de 30 de zile; păstrați ambalajul original și bonul fiscal.",
    "Pentru întrebări, echipa noastră vă răspunde de luni până vineri, între orele 9:00 și 17:30.",
    "Livrăm oriunde în țară, inclusiv în localitățile greu accesibile, fără costuri ascunse.",
    "Atenție: accesoriile opționale (ex. sacul de transport) se vând separat.",
)

LONG_TALES = (
    "Povestea acestui model a început acum mai bine de douăzeci de ani, într-un atelier mic de lângă Câmpulung, unde "
    "fiecare piesă era verificată de două ori înainte să plece spre client. Astăzi producția s-a mutat într-o hală "
    "modernă, însă obiceiul a rămas: nimic nu părăsește fabrica fără o ștampilă și o semnătură.",
    "Inginerii noștri au ascultat cele peste 12.000 de recenzii primite și au schimbat ceea ce vă supăra: cablul este "
    "mai lung cu 40 cm, butonul de pornire se găsește acum în față, iar garnitura se poate înlocui acasă, în mai puțin "
    "de cinci minute, fără șurubelniță și fără să pierdeți garanția.",
    "Știm că spațiul este prețios. De aceea, întregul ansamblu se pliază, se agață și se depozitează vertical, iar "
    "piciorușele din cauciuc împiedică alunecarea pe gresie, parchet sau faianță. Două persoane îl pot muta ușor, iar "
    "roțile (opționale) se blochează cu o simplă apăsare.",
    "Materialele au fost alese împreună cu specialiști de la Universitatea Tehnică din Cluj-Napoca: aliajul nu "
    "ruginește, vopseaua nu se cojește, iar țesătura își păstrează forma și după o sută de spălări la 40 °C. "
    "Rezultatele încercărilor sunt publice și pot fi cerute oricând serviciului de relații cu clienții.",
    "Întreținerea este simplă: o lavetă moale, apă călduță și puțin săpun. Nu folosiți solvenți, bureți abrazivi sau "
    "jet de apă sub presiune. Odată pe an, ungeți părțile mobile cu ulei alimentar; astfel veți prelungi durata de "
    "viață și veți evita scârțâitul neplăcut pe care îl știți de la modelele ieftine.",
)

SAFETY_NOTES = (
    "A nu se lăsa la îndemâna copiilor sub 3 ani. Conține piese mici care pot fi înghițite.",
    "Citiți cu atenție instrucțiunile înainte de prima utilizare. Nu scufundați în apă aparatul conectat la priză.",
    "Purtați ochelari și mănuși de protecție. Opriți aparatul înainte de a schimba accesoriile.",
    "Numai pentru uz extern. Evitați contactul cu ochii. Întrerupeți utilizarea dacă apar iritații.",
    "Nu depășiți sarcina maximă înscrisă pe etichetă. Verificați periodic șuruburile și îmbinările.",
)

MAKERS = (
    ("SC Atelierele Reunite SRL", "Str. Țăranilor nr. 14, Brașov 500123, România"),
    ("Kühlmann Haushaltsgeräte GmbH", "Lange Straße 8, 70173 Stuttgart, Deutschland"),
    ("Dunántúli Szövőműhely Kft.", "Fő út 22, 9700 Szombathely, Magyarország"),
    ("Łucja Zabawki Sp. z o.o.", "ul. Źródlana 3, 30-001 Kraków, Polska"),
)


_IMAGES = "https://images.sandbox.example/res/images/"
_SHOP = "https://www.sandbox.example/"
_ASCII = str.maketrans("ăâîșțĂÂÎȘȚ ,.&/", "aaistAAIST-----")
_LISTS = tuple(
    "<ul><li>" + "</li><li>".join(ADVANTAGES[(first + 5 * step) % 12] for step in range(4)) + "</li></ul>"
    for first in range(12)
)


def good_of(chance: Chance) -> Good:
    """The kind of goods of an offer. It is the first draw, so that prices can be derived from it."""
    return chance.pick(GOODS)


def content(offer_id: int, good: Good, chance: Chance, edition: int) -> dict[str, Any]:
    """The product fields. `edition` is the number of edits by the seller."""
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
        "safety_information": chance.pick(SAFETY_NOTES) if chance.happens(700) else None,
    }


def contacts(offer_id: int, role: str) -> list[dict[str, str]]:
    """The addresses of `manufacturer` or `eu_representative`, as a read of one product returns them."""
    name, address = MAKERS[(offer_id + len(role)) % len(MAKERS)]
    return [{"name": name, "address": address, "email": f"{role}.{offer_id % 97}@sandbox.example"}]


def _description(name: str, chance: Chance, edition: int) -> str:
    tale = chance.below(5)
    parts = [
        f"<h2>{name}</h2>",
        f"<p><strong>{chance.pick(OPENINGS)}</strong></p>",
        chance.pick(_LISTS),
        f"<p>{LONG_TALES[tale]}</p>",
        f"<p>{LONG_TALES[(tale + 1 + chance.below(4)) % 5]}</p>",
        f'<p class="nota">{CLOSINGS[(chance.below(6) + edition) % 6]}</p>',
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


# Fields that the vendor does not document, in plain types.
#
# Source: docs/marketplace-api.md, "Fields that the docs do not list".

Offer = dict[str, Any]

#: All such fields of an offer; in addition, `family` has one undocumented key.
EXTRA_FIELDS = (
    "min_sale_price", "max_sale_price", "currency_type", "offer_price_other_currency", "commission", "rrp_guidelines",
    "stock", "availability", "start_date", "start_date_other_currency", "offer_details", "content_details",
    "offer_properties", "brand_name", "attachments", "barcode", "auto_translated", "reversible_vat_charging",
    "recycleWarranties", "has_smart_deals_badge", "weight",
)  # fmt: skip


def extras(offer: Offer, chance: Chance) -> Offer:
    """The undocumented fields of an offer, derived from the others. The price limits are set with the prices."""
    return {
        **_trade(offer, chance),
        "offer_details": _details(offer, chance),
        "content_details": {"id": offer["id"]} if chance.happens(300) else [],
        "offer_properties": [],
        "brand_name": offer["brand"],
        "attachments": [],
        "barcode": offer["ean"][:1],
        "auto_translated": chance.happens(200),
        "reversible_vat_charging": False,
        "recycleWarranties": 0,
        "weight": f"{chance.below(40)}.{chance.below(10)}00000",
        "family": _family_with_type(offer["family"]),
    }


def _trade(offer: Offer, chance: Chance) -> Offer:
    days = 2 + chance.below(4)
    begins = f"2026-{1 + chance.below(12):02d}-{1 + chance.below(28):02d}"
    return {
        "currency_type": "RON",
        "offer_price_other_currency": None,
        "commission": None,
        "rrp_guidelines": "RRP input possible" if chance.happens(300) else None,
        "stock": [{"warehouse_id": 1, "value": offer["general_stock"] or 0}],
        "availability": [{"warehouse_id": 1, "value": days if offer["general_stock"] else 5}],
        "start_date": [{"warehouse_id": 1, "value": begins}] if chance.happens(120) else [],
        "start_date_other_currency": [],
        "has_smart_deals_badge": chance.happens(80),
    }


def _details(offer: Offer, chance: Chance) -> Offer:
    return {
        "id": 42_000_000 + offer["id"],
        "warranty_type": 1 + chance.below(2),
        "supply_lead_time": chance.pick((2, 3, 5, 7, 14, 30)),
        "emag_club": chance.happens(250),
    }


def _family_with_type(family: Offer | None) -> Offer | None:
    if family is None:
        return None
    kinds = [place for place, name in enumerate(FAMILIES, start=1) if family["name"].endswith(name.lower())]
    return family | {"family_type_id": kinds[0]}
