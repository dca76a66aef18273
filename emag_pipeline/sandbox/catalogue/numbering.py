"""Ids, EANs, part numbers and product keys of offers, computable in both directions.

The id of the n-th offer, and the offer of a part number, are computed, so a catalogue of a million offers needs no
index.
"""

from emag_pipeline.sandbox.catalogue.chance import number

FIRST_ID = 100_003
STRIDE = 7
_KEY_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXYZ"
_KEY_FACTOR = 2_654_435_761  # odd, so multiplying by it only permutes the 32-bit numbers
_KEY_INVERSE = pow(_KEY_FACTOR, -1, 2**32)


class Numbering:
    """The ids of one account: ascending, with gaps that differ by seed and account."""

    def __init__(self, seed: int, account: str) -> None:
        self._shift = number(seed, account, "ids") % STRIDE
        self._key = (seed, account, "id")

    def id_at(self, position: int) -> int:
        """The id of the n-th offer (from 0) of the original catalogue."""
        return FIRST_ID + STRIDE * position + (position * 5 + position // 11 + self._shift) % STRIDE

    def position_of(self, offer_id: int) -> int | None:
        """The position with this id, or None if the catalogue never assigned the id."""
        position = (offer_id - FIRST_ID) // STRIDE
        return position if position >= 0 and self.id_at(position) == offer_id else None


def part_number(brand_code: str, offer_id: int) -> str:
    """The seller's number, e.g. `ZAP-186A3`."""
    return f"{brand_code}-{offer_id:X}"


def id_of_part_number(text: str) -> int | None:
    """The offer that may have this part number; the caller must compare."""
    try:
        return int(text.rpartition("-")[2], 16)
    except ValueError:
        return None


def part_number_key(offer_id: int) -> str:
    """The marketplace's product key, e.g. `D5DD9BBBM`: nine characters, different for every 32-bit id."""
    rest = offer_id * _KEY_FACTOR % 2**32
    letters = []
    for _ in range(7):
        rest, letter = divmod(rest, len(_KEY_ALPHABET))
        letters.append(_KEY_ALPHABET[letter])
    return "D" + "".join(letters) + "M"


def id_of_part_number_key(text: str) -> int | None:
    """The offer that may have this key; the caller must compare."""
    if len(text) != 9 or any(letter not in _KEY_ALPHABET for letter in text[1:8]):
        return None
    scrambled = 0
    for letter in reversed(text[1:8]):
        scrambled = scrambled * len(_KEY_ALPHABET) + _KEY_ALPHABET.index(letter)
    return scrambled * _KEY_INVERSE % 2**32


def ean13(prefix: str, serial: int) -> str:
    """An EAN-13 with a valid check digit: three digits of prefix, nine of serial, one of check."""
    body = f"{prefix}{serial % 10**9:09d}"
    total = sum(map(int, body[::2])) + 3 * sum(map(int, body[1::2]))
    return f"{body}{-total % 10}"
