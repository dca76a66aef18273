"""Offers and pages as the client returns them, built by hand."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from emag_pipeline.store.columns import NARROW, STAGED, WIDE
from emag_pipeline.sync.staging import StagedWindow


def offer(offer_id: int, **values: Any) -> SimpleNamespace:
    """An offer with plain values; fingerprints follow from the values."""
    columns: dict[str, Any] = dict.fromkeys(STAGED)
    columns.update(
        emag_offer_id=offer_id,
        status=1,
        sale_price=Decimal("10.5000"),
        general_stock=5,
        validation_status=(9,),
        translation_validation_status=(),
        is_saleable=True,
        handling_time="[]",
        name=f"Cafea măcinată {offer_id}",
        ean=("5941234567899",),
        raw=f'{{"id": {offer_id}}}',
        unreadable=(),
    )
    columns.update(values)
    columns["row_hash"] = _hash([columns[name] for name in NARROW])
    columns["content_hash"] = _hash([columns[name] for name in WIDE])
    return SimpleNamespace(**columns, surprises=(), is_unchanged=False)


def _hash(values: Sequence[object]) -> bytes:
    return hashlib.blake2b(repr(values).encode(), digest_size=16).digest()


@dataclass
class PageOf:
    """A page of ready offers."""

    number: int
    offers: Sequence[Any]
    rejects: Sequence[Any] = ()
    content_hash: bytes = b"\x00" * 16
    surprises: Sequence[Any] = ()
    fetched_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    size: int = 100
    is_unreadable: bool = False

    @property
    def position(self) -> int:
        return (self.number - 1) * self.size

    @property
    def ids(self) -> list[int]:
        return [offer.emag_offer_id for offer in self.offers]


def window_of(page: PageOf, number: int | None = None) -> StagedWindow:
    """The page as a window of a chain, that shows nothing which another one has shown."""
    return StagedWindow(page, page.number if number is None else number, 1, (), page.rejects)
