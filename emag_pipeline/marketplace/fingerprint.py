"""Fingerprints: 16 bytes that are equal for equal values, in every process and on every machine.

Values are hashed as JSON, which distinguishes None, "" and 0. Prices always have four decimal places.
"""

import hashlib
import json
import sys
from collections.abc import Iterable
from importlib import metadata, resources

from emag_pipeline.model import Offer, Reject, Unchanged

_BYTES = 16
_json = json.JSONEncoder(separators=(",", ":"), sort_keys=True, default=str)  # Decimals as text


def _of_code() -> bytes:
    digest = hashlib.blake2b(f"{sys.version_info[:3]} {metadata.version('simplejson')}".encode(), digest_size=_BYTES)
    model = resources.files("emag_pipeline") / "model.py"  # what is kept of a row
    for file in (*sorted(resources.files(__package__).iterdir(), key=lambda file: file.name), model):
        if file.name.endswith(".py"):
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.digest()


#: of the code of this package and of model.py, and the versions that run it. Computed at import, because the files may
#: be replaced while the process runs.
_OF_RULES = _of_code()


def of_rules() -> bytes:
    """The fingerprint of the code that turns a row into an offer."""
    return _OF_RULES


def of_row(row: str) -> bytes:
    """The fingerprint of a row's JSON text; it changes whenever the code in `of_rules` changes."""
    return hashlib.blake2b(row.encode("utf-8", "surrogatepass"), key=of_rules(), digest_size=_BYTES).digest()


def of_values(values: Iterable[object]) -> bytes:
    """The fingerprint of values in their order: None, text, numbers, booleans, tuples, JSON objects."""
    return hashlib.blake2b(_json.encode(list(values)).encode(), digest_size=_BYTES).digest()


def of_page(offers: Iterable[Offer | Unchanged], rejects: Iterable[Reject]) -> bytes:
    """The fingerprint of a page: its offers in order, then its rejects."""
    digest = hashlib.blake2b(digest_size=_BYTES)
    for offer in offers:
        digest.update(offer.emag_offer_id.to_bytes(8, "big") + offer.row_hash + offer.content_hash)
    for reject in rejects:
        digest.update(of_values((reject.emag_offer_id, reject.payload)))
    return digest.digest()
