"""Reference data as read: categories, VAT rates, handling times, and rows that cannot be represented.

The vendor's document names the fields of categories only. VAT rates have `vat_id` and `vat_rate` or `id` and `rate`,
handling times `value`, `id` or are plain numbers. Source: docs/marketplace-api.md, "Reference data".
"""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Generic, TypeVar

from emag_pipeline.marketplace.fields import BIGINT, INTEGER, Row, UnreadableValue, flag, number, text, whole
from emag_pipeline.marketplace.json_text import compact, shown
from emag_pipeline.marketplace.reading import RowReading, reading_of
from emag_pipeline.marketplace.surprises import added_up, surprise
from emag_pipeline.model import Surprise

_PLACES = Decimal("0.0001")
_OF_CATEGORIES = frozenset(
    {
        "id", "name", "is_allowed", "parent_id", "is_ean_mandatory", "is_warranty_mandatory", "characteristics",
        "family_types", "scm_id",
    }
)  # fmt: skip
_OF_VAT_RATES = frozenset({"vat_id", "id", "vat_rate", "rate", "is_default"})
_OF_HANDLING_TIMES = frozenset({"id", "value", "name"})


@dataclass(frozen=True, slots=True)
class Category:
    """One active category. `name` is in the requested language, None if there is none."""

    key: int
    name: str | None
    parent_id: int | None
    is_allowed: bool | None
    is_ean_mandatory: bool | None
    is_warranty_mandatory: bool | None
    raw: str
    surprises: tuple[Surprise, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class VatRate:
    """One VAT rate, as a fraction of 1."""

    key: int
    rate: Decimal
    raw: str
    surprises: tuple[Surprise, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class HandlingTime:
    """One allowed handling time; its key is the number of days."""

    key: int
    raw: str
    surprises: tuple[Surprise, ...] = field(default=(), compare=False)


#: Each has the marketplace's own key, the row as read (compact JSON text), and its surprises.
T = TypeVar("T", Category, VatRate, HandlingTime)


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """A response's rows. `unreadable` has the reason and the beginning of each row that cannot be represented."""

    readable: tuple[T, ...]
    unreadable: tuple[str, ...]
    #: the surprises in all of them, one per field and kind
    surprises: tuple[Surprise, ...] = ()


def rows_of(rows: Iterable[object], understand: Callable[[object], T]) -> Rows[T]:
    """All rows, parsed by `understand`, or the reasons why they cannot be."""
    readable: list[T] = []
    unreadable: list[str] = []
    noticed: list[Surprise] = []
    for row in rows:
        try:
            readable.append(understand(row))
        except UnreadableValue as problem:
            unreadable.append(f"{problem}: {shown(row)}")
            noticed.append(surprise(problem.field or "(row)", problem.kind, problem.value))
    noticed += [one for row in readable for one in row.surprises]
    return Rows(tuple(readable), tuple(unreadable), added_up(noticed))


def once_each(rows: Rows[T]) -> Rows[T]:
    """The first row of each key; further rows that differ from it are listed as unreadable."""
    first: dict[int, T] = {}
    repeats: list[str] = []
    for row in rows.readable:
        if first.setdefault(row.key, row) != row:
            repeats.append(f"{row.key} occurs twice with different values: {shown(row.raw)}")
    return Rows(tuple(first.values()), (*rows.unreadable, *repeats), rows.surprises)


def category(row: object) -> Category:
    """A row of category/read. Raises UnreadableValue if it has no usable id."""
    reading = _reading(row, _OF_CATEGORIES)
    return Category(
        key=_required(reading.row, ("id",), BIGINT),
        name=(reading.field(text, "name") or "").strip() or None,
        parent_id=reading.field(whole, "parent_id", BIGINT) or None,
        is_allowed=reading.field(flag, "is_allowed"),
        is_ean_mandatory=reading.field(flag, "is_ean_mandatory"),
        is_warranty_mandatory=reading.field(flag, "is_warranty_mandatory"),
        raw=compact(reading.row),
        surprises=reading.surprises(),
    )


def vat_rate(row: object) -> VatRate:
    """A row of vat/read. Raises UnreadableValue if it has no usable id or rate."""
    reading = _reading(row, _OF_VAT_RATES)
    key, rate = _required(reading.row, ("vat_id", "id"), BIGINT), _rate(reading.row)
    return VatRate(key, rate, compact(reading.row), reading.surprises())


def handling_time(row: object) -> HandlingTime:
    """A row of handling_time/read. Raises UnreadableValue if it has no usable number of days."""
    reading = _reading({"value": row} if isinstance(row, int | str | Decimal) else row, _OF_HANDLING_TIMES)
    key = _required(reading.row, ("value", "id"), (0, INTEGER[1]))
    return HandlingTime(key, compact(reading.row), reading.surprises())


def _reading(row: object, known: Set[str]) -> RowReading:
    if not isinstance(row, dict):
        raise UnreadableValue("the row is not an object", field="")
    reading = reading_of(row)
    for name in sorted(reading.row.keys() - known):
        reading.notice(name, "unknown field", reading.row[name])
    return reading


def _required(row: Row, names: tuple[str, ...], limits: tuple[int, int]) -> int:
    found = next((value for name in names if (value := whole(row, name, limits)) is not None), None)
    if found is None:
        raise UnreadableValue(f"{' or '.join(names)} is missing", field=names[0])
    return found


def _rate(row: Row) -> Decimal:
    """The rate as a fraction of 1. Numbers from 1 are percentages: no VAT rate is below 1 % or reaches 100 %."""
    given = next((value for name in ("vat_rate", "rate") if (value := number(row, name)) is not None), None)
    if given is None:
        raise UnreadableValue("vat_rate or rate is missing", field="vat_rate")
    if not 0 <= given < 100:
        raise UnreadableValue("the rate is not from 0 to 100", field="vat_rate")
    return (given / 100 if given >= 1 else given).quantize(_PLACES)
