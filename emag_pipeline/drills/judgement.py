"""Reports how a run that met a fault differs from what was expected, one sentence per difference."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import UnionType
from typing import Any

from emag_pipeline.drills.runs import Ending
from emag_pipeline.drills.scenario import Expected
from emag_pipeline.sandbox.catalogue.reading import is_given, number, unreadable, whole
from emag_pipeline.sandbox.catalogue.validation import codes, is_saleable
from emag_pipeline.sandbox.client import SandboxFace
from emag_pipeline.sync.published import PublishedOffer
from emag_pipeline.wording import counted

# An offer of the sandbox as it must be stored, derived independently of the pipeline's parsing.
#
# The sandbox serves edited fields as they were edited, so a field may hold any value; an unreadable one becomes null.

_Offer = Mapping[str, Any]

#: bits of the integer columns, without the sign
_SMALL, _INTEGER, _BIG = 15, 31, 63
_WHOLE = {
    "status": _SMALL, "buy_button_rank": _INTEGER, "number_of_offers": _INTEGER, "general_stock": _BIG,
    "estimated_stock": _BIG, "warranty": _INTEGER, "vat_id": _BIG, "category_id": _BIG, "vendor_category_id": _BIG,
    "ownership": _SMALL,
}  # fmt: skip
_GENIUS = ("genius_eligibility", "genius_eligibility_type", "genius_computed")
_TEXTS = (
    "part_number_key", "part_number", "currency", "name", "brand", "description", "url", "safety_information",
    "rrp_guidelines",
)  # fmt: skip
_PRICES = (
    "sale_price", "recommended_price", "best_offer_sale_price", "best_offer_recommended_price", "min_sale_price",
    "max_sale_price", "commission",
)  # fmt: skip
_FLAGS = ("has_smart_deals_badge", "auto_translated")
_OF_WAREHOUSE = ("warehouse_id", "value", "id")
#: column of a list of objects → field of the marketplace, and the keys of its objects that are integers
_OBJECTS = {
    "images": ("images", ("display_type",)),
    "characteristics": ("characteristics", ("id",)),
    "handling_time": ("handling_time", _OF_WAREHOUSE),
    "stock_by_warehouse": ("stock", _OF_WAREHOUSE),
    "availability_by_warehouse": ("availability", _OF_WAREHOUSE),
}
_CONTACTS = {"has_manufacturer": "manufacturer", "has_eu_representative": "eu_representative"}
_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")
_CODES = ("validation_status", "translation_validation_status")


def as_stored(offer: _Offer) -> dict[str, Any]:
    """The columns of both published tables that come from the marketplace. Prices are Decimal, without VAT.

    A commercial value that cannot be read is listed in `unreadable` and has no column here: the database keeps the
    value published before.
    """
    named = unreadable(offer)
    stored: dict[str, Any] = {
        **{name: _whole(offer.get(name), bits) for name, bits in _WHOLE.items()},
        **_read(offer, _GENIUS, lambda value: int(value) if isinstance(value, bool) else _whole(value, _SMALL)),
        **_read(offer, _TEXTS, _text),
        **_read(offer, _PRICES, _price),
        **_read(offer, _FLAGS, _flag),
        **{column: _objects(offer.get(field), field, numbers) for column, (field, numbers) in _OBJECTS.items()},
        **{column: _is_named(offer.get(field)) for column, field in _CONTACTS.items()},
        **{name: codes(offer.get(name)) for name in _CODES},
        **_parts(offer),
        "offer_validation_status": max(codes(offer.get("offer_validation_status")), default=None),
        "start_date": _listed(offer.get("start_date"), str | dict),
        "ean": [_text(one) for one in _eans(offer.get("ean")) if is_given(one)],
        "doc_errors": _errors(offer.get("doc_errors")),
        "is_saleable": is_saleable(offer),
    }
    return {name: value for name, value in stored.items() if name not in named} | {"unreadable": named}


def _read(offer: _Offer, names: tuple[str, ...], reader: Callable[[Any], Any]) -> dict[str, Any]:
    return {name: reader(offer.get(name)) for name in names}


def _parts(offer: _Offer) -> dict[str, Any]:
    """The columns read from `family` and `offer_details`."""
    family, details = _object(offer.get("family")), _object(offer.get("offer_details"))
    return {
        "family_id": _whole(family.get("id"), _BIG),
        "family_name": _text(family.get("name")),
        "family_type_id": _whole(family.get("family_type_id"), _BIG),
        "supply_lead_time": _whole(details.get("supply_lead_time"), _INTEGER),
        "emag_club": _flag(details.get("emag_club")),
    }


def _whole(value: Any, bits: int) -> int | None:
    found = whole(value)
    return found if found is not None and -(2**bits) <= found < 2**bits else None


def _price(value: Any) -> Decimal | None:
    found = number(value)
    if found is None or not 0 <= found < Decimal(10) ** 14:
        return None
    return found.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(_storable(str(value))) or None


def _flag(value: Any) -> bool | None:
    return {"0": False, "1": True, "false": False, "true": True}.get(str(value).lower())


def _is_named(value: Any) -> bool | None:
    return bool(value) if isinstance(value, list | dict) else _flag(value)


def _errors(value: Any) -> Any:
    found = _unkeyed(value)
    return _storable(found) or None if is_given(found) and isinstance(found, str | list | dict) else None


def _objects(value: Any, field: str, numbers: tuple[str, ...]) -> list[Any] | None:
    """None if a number is not one. The value of a characteristic is a text, even if PHP turned it into a number."""
    found = []
    for one in _listed(value, dict) or []:
        typed = {name: _whole(one[name], _BIG) for name in numbers if name in one}
        if any(typed[name] is None and is_given(one[name]) for name in typed):
            return None
        is_number = field == "characteristics" and type(one.get("value")) in (int, float)
        found.append(one | typed | ({"value": str(one["value"])} if is_number else {}))
    return None if _listed(value, dict) is None else found


def _eans(value: Any) -> list[Any]:
    """A single EAN may come without a list around it."""
    is_single = isinstance(value, str | int) and not isinstance(value, bool)
    return _listed([value] if is_single else value, str | int | None) or []


def _listed(value: Any, kind: UnionType | type) -> list[Any] | None:
    """A list of items of this kind, also in PHP's object form; None if any item is of another kind."""
    found = _unkeyed(value)
    if not isinstance(found, list) or not all(isinstance(one, kind) for one in found):
        return None
    return [_storable(one) for one in found]


def _unkeyed(value: Any) -> Any:
    """Undo PHP's turning a list into an object with the keys "0", "1", …; any other value is returned unchanged."""
    if isinstance(value, dict) and all(key.isdigit() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return value


def _storable(value: Any) -> Any:
    """The value with U+FFFD in place of characters that PostgreSQL cannot store."""
    if isinstance(value, dict):
        return {str(_storable(name)): _storable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_storable(one) for one in value]
    return _UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else value


def _object(value: Any) -> _Offer:
    return value if isinstance(value, dict) else {}


# The published offers compared with the sandbox's truth.

Published = Mapping[int, PublishedOffer]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Offers that are published wrongly.

    `lost`: the marketplace has them, listed or hidden, but they are not published or differ in a column.
    `wrongly_deleted`: tombstoned, although the marketplace has them. `kept`: published, although they are gone.
    `differences`: for each lost offer that is published, the columns that differ, as published and as expected.
    """

    lost: frozenset[int]
    wrongly_deleted: frozenset[int]
    kept: frozenset[int]
    differences: Mapping[int, Mapping[str, tuple[Any, Any]]]

    @property
    def is_exact(self) -> bool:
        """Whether there are none."""
        return not (self.lost or self.wrongly_deleted or self.kept)


def compare(published: Published, sandbox: SandboxFace, account: str) -> Comparison:
    """Compare all offers of an account, column by column, when the marketplace stands still.

    Drills, promises and the soak are judged by this one comparison. Those that judge a copy which may be of any moment
    of a sync (randomised), or of a past one (the month), compare in their own way and share only `as_stored`.
    """
    truth = {offer["id"]: as_stored(offer) for offer in _truth(sandbox, account)}
    live = {one for one, offer in published.items() if not offer.is_deleted}
    found = {one: _difference(published[one].columns, truth[one]) for one in live & truth.keys()}
    differences = {one: columns for one, columns in found.items() if columns}
    return Comparison(
        lost=frozenset((truth.keys() - live) | differences.keys()),
        wrongly_deleted=frozenset((published.keys() - live) & truth.keys()),
        kept=frozenset(live - truth.keys()),
        differences=differences,
    )


def _truth(sandbox: SandboxFace, account: str) -> Iterator[dict[str, Any]]:
    yield from sandbox.truth(account)
    for hidden in sandbox.command("truth", {"account": account, "ids": True})["hidden"]:
        offer = sandbox.truth_offer(account, hidden)
        if offer is not None:
            yield offer


def _difference(columns: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (columns[name], value) for name, value in wanted.items() if columns[name] != value}


# Messages as the document shows them: `…` stands for text that differs from run to run.


def is_said(message: str, said: str) -> bool:
    """Whether `said` matches the message, in which `…` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, message.split("…"))), said, re.DOTALL) is not None


def of_ending(expected: Expected, met: Ending) -> Iterator[str]:
    """Problems with the way the run ended."""
    if met.exit_code != expected.exit_code:
        yield f"exit code {met.exit_code}, not {expected.exit_code}: {met.said}"
    if met.sync is not None and met.error_class != expected.error_class:
        yield f"error class {met.error_class or 'none'}, not {expected.error_class or 'none'}"
    if not is_said(expected.message, met.said):
        yield f"unexpected message: {met.said!r}"
    if met.sync is not None and met.exit_code == 0 and met.sync.offers_rejected != expected.quarantined:
        yield f"{counted(met.sync.offers_rejected, 'row')} quarantined, not {expected.quarantined}"


def of_published(found: Comparison) -> Iterator[str]:
    """Problems with what readers see at the end of the drill."""
    for offers, what in (
        (found.lost, "lost or wrong"),
        (found.wrongly_deleted, "wrongly deleted"),
        (found.kept, "still published, although gone"),
    ):
        if offers:
            yield f"{counted(len(offers), 'offer')} {what}"


def of_published_meanwhile(expected: Expected, found: Comparison) -> Iterator[str]:
    """Problems with what readers see while a fault lasts that does not prevent the publish.

    Rows that the fault affects may be outdated.
    """
    if len(found.lost) > expected.quarantined + expected.altered:
        allowed = f"{expected.quarantined} were quarantined, {expected.altered} shown altered"
        yield f"{counted(len(found.lost), 'offer')} lost or wrong meanwhile, {allowed}"
    if found.wrongly_deleted:
        yield f"{counted(len(found.wrongly_deleted), 'offer')} wrongly deleted meanwhile"
