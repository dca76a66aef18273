"""Offers, rows that cannot be one, pages and calls as the client returns them, built by hand."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from emag_pipeline.model import Offer, Page, Reject, RequestRecord, Surprise, Unchanged
from emag_pipeline.store.columns import NARROW, STAGED, WIDE
from emag_pipeline.sync.staging import StagedWindow

#: What a page shows.
Offers = Sequence[Offer | Unchanged]


def offer(offer_id: int, **values: Any) -> Offer:
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
    return Offer(**columns)


def _hash(values: Sequence[object]) -> bytes:
    return hashlib.blake2b(repr(values).encode(), digest_size=16).digest()


def page_of(number: int, offers: Offers, rejects: Sequence[Reject] = (), surprises: Sequence[Surprise] = ()) -> Page:
    """A page of 100 with these offers and rejects, read now."""
    return Page(
        number=number,
        size=100,
        ids=tuple(one.emag_offer_id for one in offers),
        offers=tuple(offers),
        rejects=tuple(rejects),
        content_hash=b"\x00" * 16,
        fetched_at=datetime.now(UTC),
        surprises=tuple(surprises),
    )


def window_of(page: Page) -> StagedWindow:
    """The page as a window of a chain, that shows nothing which another one has shown."""
    return StagedWindow(page, page.number, 1, (), page.rejects)


def call(**values: Any) -> RequestRecord:
    """A call as the client records it: the first page, answered just now."""
    fields: dict[str, Any] = {
        "sent_at": datetime.now(UTC), "account_type": "main", "resource": "product_offer/read",
        "page": 1, "page_size": 100, "offer_id": None,
        "status": 200, "outcome": "ok", "seconds": 0.2, "bytes": 300, "error_class": None, "error_body": None,
    }  # fmt: skip
    return RequestRecord(**(fields | values))
