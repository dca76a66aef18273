"""The goods that the sandbox's sellers sell: category, wording, characteristics and price range of each kind."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Good:
    """One kind of goods. Prices are in bani without VAT; `traits` are (characteristic id, name, values)."""

    category_id: int
    category: str
    category_en: str
    department_id: int
    noun: str
    lowest_price: int
    highest_price: int
    traits: tuple[tuple[int, str, tuple[str, ...]], ...]


DEPARTMENTS: tuple[tuple[int, str, str], ...] = (
    (1, "Electrocasnice mici", "Small appliances"),
    (2, "Grădină și bricolaj", "Garden and DIY"),
    (3, "Jucării și copii", "Toys and children"),
    (4, "Casă și decorațiuni", "Home and decorations"),
    (5, "Încălțăminte și îmbrăcăminte", "Footwear and clothing"),
    (6, "Îngrijire personală", "Personal care"),
    (7, "Auto și moto", "Car and motorcycle"),
    (8, "Electronice", "Electronics"),
)

COLOURS = ("Negru", "Alb", "Argintiu", "Roșu", "Albastru închis", "Verde măsliniu", "Bej", "Mov", "Gri", "Turcoaz")

#: brand, and the code that its part numbers start with
BRANDS: tuple[tuple[str, str], ...] = (
    ("Zăpada", "ZAP"),
    ("Țărmuri", "TAR"),
    ("Șoim", "SOI"),
    ("Crângul", "CRG"),
    ("Ârâma & Fiii", "AFI"),
    ("Nordhaus", "NHS"),
    ("Bélavár", "BEL"),
    ("Kühlmann", "KUE"),
    ("Viorica", "VIO"),
    ("Piatra-Înaltă", "PIN"),
    ("Dăruit", "DAR"),
    ("ÎntreMunți", "IMU"),
    ("Orizont 7", "OR7"),
    ("Łucja", "LUC"),
    ('"Meșterul" Ion', "MES"),
    ("Fără Nume", "FNU"),
)

SERIES = (
    "Aqua",
    "Brâu",
    "Clasic",
    "Delta",
    "Expert",
    "Fulger",
    "Grație",
    "Horă",
    "Iris",
    "Mărțișor",
    "Nova",
    "Pro+",
    "Ștrengar",
    "Zenit",
)

FAMILIES: tuple[str, ...] = ("Culoare", "Mărime", "Capacitate", "Putere", "Lungime")


def _good(
    number: int,
    department_id: int,
    names: tuple[str, str, str],
    prices: tuple[int, int],
    **traits: tuple[str, ...],
) -> Good:
    category, category_en, noun = names
    numbered = tuple(
        (number * 10 + place, name.replace("_", " "), values) for place, (name, values) in enumerate(traits.items())
    )
    return Good(number, category, category_en, department_id, noun, *prices, numbered)


_POWER = ("650 W", "850 W", "1200 W", "1500 W", "1850 W", "2200 W")
_LITRES = ("0.8 L", "1.2 L", "1.7 L", "2 L", "3.5 L", "5 L")
_METRES = ("5 m", "10 m", "15 m", "20 m", "30 m")
_STUFF = ("Oțel inoxidabil", "Bumbac 100%", "Lemn de fag", "Piele naturală", "Poliester", "Sticlă termorezistentă")
_SIZES = ("36", "37", "38", "39", "40", "41", "42", "43", "44")
_CLOTHES = ("XS", "S", "M", "L", "XL", "XXL")
_AGES = ("0-6 luni", "1-3 ani", "3-5 ani", "5-7 ani", "peste 8 ani")

GOODS: tuple[Good, ...] = (
    _good(2101, 1, ("Fierbătoare", "Kettles", "Fierbător electric"), (5900, 24900), Putere=_POWER, Capacitate=_LITRES),
    _good(2102, 1, ("Râșnițe de cafea", "Coffee grinders", "Râșniță de cafea"), (4500, 39900),
          Putere=_POWER, Material=_STUFF),
    _good(2103, 1, ("Prăjitoare de pâine", "Toasters", "Prăjitor de pâine"), (6900, 29900),
          Putere=_POWER, Felii=("2", "4")),
    _good(2104, 1, ("Mașini de tocat carne", "Meat grinders", "Mașină de tocat carne"), (14900, 89900),
          Putere=_POWER, Site=("2", "3", "4")),
    _good(2201, 2, ("Furtunuri de grădină", "Garden hoses", "Furtun de grădină"), (3900, 19900),
          Lungime=_METRES, Diametru=("1/2\"", "3/4\"", "1\"")),
    _good(2202, 2, ("Foarfeci de vie", "Pruning shears", "Foarfecă de vie"), (1900, 12900),
          Material=_STUFF, Lungime=("18 cm", "21 cm", "24 cm")),
    _good(2203, 2, ("Mașini de găurit", "Drills", "Mașină de găurit cu percuție"), (14900, 129900),
          Putere=_POWER, Mandrină=("10 mm", "13 mm")),
    _good(2204, 2, ("Scări și schele", "Ladders", "Scară telescopică"), (24900, 119900),
          Înălțime=("2.6 m", "3.2 m", "3.8 m"), Trepte=("9", "11", "13")),
    _good(2301, 3, ("Jucării din lemn", "Wooden toys", "Trenuleț din lemn"), (2900, 17900),
          Vârstă=_AGES, Piese=("12", "28", "54", "120")),
    _good(2302, 3, ("Cărucioare", "Strollers", "Cărucior pliabil pentru copii"), (29900, 249900),
          Vârstă=_AGES, Greutate=("6.8 kg", "9.5 kg", "12 kg")),
    _good(2303, 3, ("Puzzle-uri", "Puzzles", "Puzzle panoramic"), (1500, 9900),
          Piese=("260", "500", "1000", "2000"), Vârstă=_AGES),
    _good(2401, 4, ("Lenjerii de pat", "Bed linen", "Lenjerie de pat dublă"), (8900, 44900),
          Material=_STUFF, Piese=("4", "6", "8")),
    _good(2402, 4, ("Lămpi și veioze", "Lamps", "Veioză de noptieră"), (4900, 29900),
          Soclu=("E14", "E27", "LED integrat"), Material=_STUFF),
    _good(2403, 4, ("Oale și crătiți", "Pots", "Oală sub presiune"), (9900, 59900),
          Capacitate=_LITRES, Material=_STUFF),
    _good(2404, 4, ("Covoare", "Carpets", "Covor țesut manual"), (12900, 189900),
          Dimensiune=("80x150 cm", "120x180 cm", "200x300 cm"), Material=_STUFF),
    _good(2501, 5, ("Ghete de drumeție", "Hiking boots", "Ghete de drumeție impermeabile"), (19900, 79900),
          Mărime=_SIZES, Material=_STUFF),
    _good(2502, 5, ("Căciuli și mănuși", "Hats and gloves", "Căciulă tricotată"), (2500, 14900),
          Mărime=_CLOTHES, Material=_STUFF),
    _good(2503, 5, ("Ii și cămăși tradiționale", "Folk blouses", "Ie tradițională brodată"), (9900, 69900),
          Mărime=_CLOTHES, Material=_STUFF),
    _good(2601, 6, ("Creme de față", "Face creams", "Cremă de față hidratantă"), (1900, 24900),
          Volum=("30 ml", "50 ml", "75 ml"), Ten=("uscat", "gras", "mixt", "sensibil")),
    _good(2602, 6, ("Uscătoare de păr", "Hair dryers", "Uscător de păr ionic"), (5900, 49900),
          Putere=_POWER, Trepte=("2", "3")),
    _good(2701, 7, ("Ștergătoare de parbriz", "Wiper blades", "Ștergător de parbriz"), (1900, 9900),
          Lungime=("450 mm", "530 mm", "600 mm", "650 mm"), Poziție=("față", "spate")),
    _good(2702, 7, ("Huse auto", "Car seat covers", "Husă auto pentru banchetă"), (6900, 39900),
          Material=_STUFF, Locuri=("2", "5", "7")),
    _good(2801, 8, ("Căști audio", "Headphones", "Căști audio fără fir"), (4900, 119900),
          Autonomie=("18 ore", "30 de ore", "45 de ore"), Bluetooth=("5.0", "5.2", "5.3")),
    _good(2802, 8, ("Încărcătoare", "Chargers", "Încărcător rapid USB-C"), (2900, 17900),
          Putere=("20 W", "45 W", "65 W", "100 W"), Porturi=("1", "2", "3")),
)  # fmt: skip
