"""What several slices speak of, one type for each thing: offers, rejects, pages and calls, as the API answered them.

It imports nothing, so that whoever stages, logs or shows them need not load the client.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal, NamedTuple

# A page of the marketplace's listing as read: offers as the database wants them, and rows that cannot be one.

Kind = Literal["unknown field", "unexpected type", "unknown code", "out of range", "unstorable text"]


@dataclass(frozen=True, slots=True)
class Surprise:
    """Something in an answer that this code does not know or cannot read.

    `sample` is at most 80 printable characters without personal data, None where there is nothing to show.
    """

    field: str
    kind: Kind
    sample: str | None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer, normalised. Prices are without VAT and have four places; JSON columns are canonical JSON text."""

    is_unchanged: ClassVar[bool] = False

    emag_offer_id: int
    #: fingerprint of the commercial fields, up to `availability_by_warehouse`
    row_hash: bytes
    #: fingerprint of the fields after them, and of all of `raw` that stands in none of these
    content_hash: bytes
    #: stands for the row as it was written; None where the same row has to be read again
    row_digest: bytes | None
    #: `surprises` as JSON text, None where there are none
    noticed: str | None

    part_number_key: str | None
    part_number: str | None
    status: int | None
    sale_price: Decimal | None
    recommended_price: Decimal | None
    best_offer_sale_price: Decimal | None
    best_offer_recommended_price: Decimal | None
    buy_button_rank: int | None
    number_of_offers: int | None
    currency: str | None
    general_stock: int | None
    estimated_stock: int | None
    offer_validation_status: int | None
    validation_status: tuple[int, ...]
    translation_validation_status: tuple[int, ...]
    is_saleable: bool
    handling_time: str | None
    warranty: int | None
    vat_id: int | None
    #: those of sale_price, currency, general_stock and status whose value cannot be read
    unreadable: tuple[str, ...]
    min_sale_price: Decimal | None
    max_sale_price: Decimal | None
    commission: Decimal | None
    supply_lead_time: int | None
    emag_club: bool | None
    has_smart_deals_badge: bool | None
    start_date: str | None
    stock_by_warehouse: str | None
    availability_by_warehouse: str | None

    name: str | None
    brand: str | None
    description: str | None
    url: str | None
    safety_information: str | None
    family_id: int | None
    family_name: str | None
    category_id: int | None
    vendor_category_id: int | None
    ownership: int | None
    genius_eligibility: int | None
    genius_eligibility_type: int | None
    genius_computed: int | None
    ean: tuple[str, ...]
    images: str | None
    characteristics: str | None
    validation_details: str | None
    doc_errors: str | None
    has_manufacturer: bool | None
    has_eu_representative: bool | None
    family_type_id: int | None
    rrp_guidelines: str | None
    auto_translated: bool | None
    #: the row without what the commercial fields hold, as compact JSON text
    raw: str

    #: what was noticed while the row was read; no column
    surprises: tuple[Surprise, ...] = ()


class AsPublished(NamedTuple):
    """What is known of a published offer: which row it was read from, and what became of that."""

    #: stands for the row as it was written (`fingerprint.of_row`)
    digest: bytes
    row_hash: bytes
    content_hash: bytes
    #: see `Offer.noticed`
    noticed: str | None


#: Asked for ids of offers, it tells of those that are published. Called by several threads at once.
AskPublished = Callable[[Collection[int]], Mapping[int, AsPublished]]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An offer whose row is written as it was when the offer was published: reading it again would tell the same."""

    emag_offer_id: int
    row_hash: bytes
    content_hash: bytes

    is_unchanged: ClassVar[bool] = True
    #: there were none, or the row would not be known
    unreadable: ClassVar[tuple[str, ...]] = ()
    #: what was noticed when the row was read, and would be again
    surprises: tuple[Surprise, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be represented: its id as far as it has one, why in words, and the row in ASCII JSON."""

    emag_offer_id: int | None
    reason: str
    payload: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page as read.

    `number` and `size` are those of the request. `content_hash` tells whether two pages show the same offers in the
    same state. `surprises` are those of its offers, one for each field and kind, with their times added up.
    """

    number: int
    size: int
    #: its rows in their order: the offer's id, or a negative number made from the payload of a row without a usable one
    ids: tuple[int, ...]
    offers: tuple[Offer | Unchanged, ...]
    rejects: tuple[Reject, ...]
    content_hash: bytes
    fetched_at: datetime
    surprises: tuple[Surprise, ...] = ()
    #: the marketplace fails whatever the size of the page that holds this one position
    is_unreadable: bool = False
    #: the rows as they came, in the order of `ids`, as long as one of them may have to go to quarantine
    source: tuple[object, ...] = ()

    @property
    def position(self) -> int:
        """The first position of the listing that it shows, from 0 on."""
        return (self.number - 1) * self.size

    @property
    def rows(self) -> int:
        """How many rows it shows, usable or not."""
        return len(self.ids)


# What is kept of every call (the vendor asks for 30 days: docs/marketplace-api.md, "Calls and responses").


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One HTTP attempt, retries too. `outcome` is 'ok' or 'error'; a body only of failures, redacted."""

    sent_at: datetime
    account_type: str
    resource: str
    page: int | None
    page_size: int | None
    offer_id: int | None
    status: int | None
    outcome: str
    seconds: float
    bytes: int
    error_class: str | None
    error_body: str | None
