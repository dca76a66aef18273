"""Types shared by several slices: offers, rejects, pages and calls, as the API returned them.

Imports none of the slices, so that code which stages, logs or shows these need not load the client.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal, NamedTuple

# One page of the marketplace's listing: normalised offers, and rows that cannot be represented as an offer.

Kind = Literal["unknown field", "unexpected type", "unknown code", "out of range", "unstorable text"]


@dataclass(frozen=True, slots=True)
class Surprise:
    """Something in a response that this code does not know or cannot read.

    `sample` is at most 80 printable characters without personal data, None if there is nothing to show.
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
    #: fingerprint of the fields after them, and of the part of `raw` that has no column
    content_hash: bytes
    #: fingerprint of the row's JSON text; None if the same text must be parsed again next time
    row_digest: bytes | None
    #: `surprises` as JSON text, None if there are none
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
    #: which of sale_price, currency, general_stock and status cannot be read
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
    #: the row without the values of the commercial fields, as compact JSON text
    raw: str

    #: surprises found while the row was read; not a column
    surprises: tuple[Surprise, ...] = ()


class AsPublished(NamedTuple):
    """The fingerprints stored with a published offer."""

    #: fingerprint of the row's JSON text (`fingerprint.of_row`)
    digest: bytes
    row_hash: bytes
    content_hash: bytes
    #: see `Offer.noticed`
    noticed: str | None


#: Returns what is published for each of the given offer ids that is. Called by several threads at once.
AskPublished = Callable[[Collection[int]], Mapping[int, AsPublished]]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An offer whose JSON text is the same as when it was published, so parsing it again would change nothing."""

    emag_offer_id: int
    row_hash: bytes
    content_hash: bytes

    is_unchanged: ClassVar[bool] = True
    #: always empty: rows with unreadable fields are never recognised as unchanged
    unreadable: ClassVar[tuple[str, ...]] = ()
    #: the surprises found when the row was last parsed
    surprises: tuple[Surprise, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be represented: its id if it has one, the reason, and the row as ASCII JSON."""

    emag_offer_id: int | None
    reason: str
    payload: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page as read.

    `number` and `size` are those of the request. Two pages with the same `content_hash` show the same offers in the
    same state. `surprises` are those of its offers, one per field and kind, with `times` summed.
    """

    number: int
    size: int
    #: one id per row, in order: the offer's id, or a negative number derived from the payload if it has no usable id
    ids: tuple[int, ...]
    offers: tuple[Offer | Unchanged, ...]
    rejects: tuple[Reject, ...]
    content_hash: bytes
    fetched_at: datetime
    surprises: tuple[Surprise, ...] = ()
    #: the marketplace fails for this one position at every page size
    is_unreadable: bool = False
    #: the rows as received, in the order of `ids`, kept while one of them may have to be quarantined
    source: tuple[object, ...] = ()

    @property
    def position(self) -> int:
        """Its first position in the listing, counted from 0."""
        return (self.number - 1) * self.size

    @property
    def rows(self) -> int:
        """Number of rows, usable or not."""
        return len(self.ids)


# The record kept of every call (the vendor asks for 30 days: docs/marketplace-api.md, "Calls and responses").


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One HTTP attempt, including retries. `outcome` is 'ok' or 'error'; only failures keep a body, redacted."""

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
