"""Reference data as read: categories, VAT rates, handling times, and the rows that cannot be one (emag-api.md, 6, 8).

The vendor's document names the fields of categories only. VAT rates come as `vat_id` and `vat_rate` or `id` and `rate`,
handling times as `value`, `id` or a bare number.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

from emag_pipeline.api.fields import BIGINT, INTEGER, Row, Unreadable, flag, number, text, whole
from emag_pipeline.api.json_text import shown
from emag_pipeline.api.storable import raw_text

_PLACES = Decimal("0.0001")


class ReferenceRow(Protocol):
    """One row: the marketplace's own key, and the row as read, compact JSON text."""

    @property
    def key(self) -> int: ...
    @property
    def raw(self) -> str: ...


T = TypeVar("T", bound=ReferenceRow)


@dataclass(frozen=True, slots=True)
class Category:
    """One active category. `name` is in the language that was asked for, None where there is none in it."""

    key: int
    name: str | None
    parent_id: int | None
    is_allowed: bool | None
    is_ean_mandatory: bool | None
    is_warranty_mandatory: bool | None
    raw: str


@dataclass(frozen=True, slots=True)
class VatRate:
    """One VAT rate, as a share of 1."""

    key: int
    rate: Decimal
    raw: str


@dataclass(frozen=True, slots=True)
class HandlingTime:
    """One handling time that is allowed, in days: they are its key."""

    key: int
    raw: str


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """An answer's rows. `unreadable` says of each that cannot be represented why, and shows its beginning."""

    readable: tuple[T, ...]
    unreadable: tuple[str, ...]


def rows_of(rows: Iterable[object], understand: Callable[[object], T]) -> Rows[T]:
    """Each row understood, or the reason why it cannot be."""
    readable: list[T] = []
    unreadable: list[str] = []
    for row in rows:
        try:
            readable.append(understand(row))
        except Unreadable as problem:
            unreadable.append(f"{problem}: {shown(row)}")
    return Rows(tuple(readable), tuple(unreadable))


def once_each(rows: Rows[T]) -> Rows[T]:
    """Each key's first row; a further one that says something else is told among the unreadable."""
    first: dict[int, T] = {}
    others = [row for row in rows.readable if first.setdefault(row.key, row) != row]
    repeats = (f"{row.key} is given already, otherwise: {shown(row.raw)}" for row in others)
    return Rows(tuple(first.values()), (*rows.unreadable, *repeats))


def category(row: object) -> Category:
    """A row of category/read. Raises Unreadable."""
    fields = _object(row)
    return Category(
        key=_required(fields, ("id",), BIGINT),
        name=(text(fields, "name") or "").strip() or None,
        parent_id=whole(fields, "parent_id", BIGINT) or None,
        is_allowed=flag(fields, "is_allowed"),
        is_ean_mandatory=flag(fields, "is_ean_mandatory"),
        is_warranty_mandatory=flag(fields, "is_warranty_mandatory"),
        raw=raw_text(fields),
    )


def vat_rate(row: object) -> VatRate:
    """A row of vat/read. Raises Unreadable."""
    fields = _object(row)
    return VatRate(key=_required(fields, ("vat_id", "id"), BIGINT), rate=_rate(fields), raw=raw_text(fields))


def handling_time(row: object) -> HandlingTime:
    """A row of handling_time/read. Raises Unreadable."""
    fields = {"value": row} if isinstance(row, int | str | Decimal) else _object(row)
    return HandlingTime(key=_required(fields, ("value", "id"), (0, INTEGER[1])), raw=raw_text(fields))


def _object(row: object) -> Row:
    if not isinstance(row, dict):
        raise Unreadable("the row is not an object")
    return row


def _required(row: Row, names: tuple[str, ...], limits: tuple[int, int]) -> int:
    found = next((value for name in names if (value := whole(row, name, limits)) is not None), None)
    if found is None:
        raise Unreadable(f"{' or '.join(names)} is missing")
    return found


def _rate(row: Row) -> Decimal:
    """The rate as a share of 1: a number from 1 on is a percentage, since no VAT is below 1 % or reaches 100 %."""
    given = next((value for name in ("vat_rate", "rate") if (value := number(row, name)) is not None), None)
    if given is None:
        raise Unreadable("vat_rate or rate is missing")
    if not 0 <= given < 100:
        raise Unreadable("the rate is not from 0 to 100")
    return (given / 100 if given >= 1 else given).quantize(_PLACES)
