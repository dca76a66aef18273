"""Merges reference data into its tables (emag_categories, emag_vat_rates, emag_handling_times).

A row that the marketplace no longer returns gets a tombstone (`deleted_at`), and is revived when it is returned again.
VAT rates have a history (emag_vat_rate_history), because past prices with VAT need the rate of that time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import simplejson

from emag_pipeline.errors import ScanNotProven
from emag_pipeline.store.columns import listed
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import filled, statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import statistics


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of reference data: its table, its columns with their types (the key first), its asset."""

    name: str
    table: str
    columns: Mapping[str, str]
    description: str

    @property
    def key(self) -> str:
        """The column that identifies a row within a marketplace."""
        return next(iter(self.columns))


CATEGORIES = Resource(
    "categories",
    "emag_categories",
    {
        "category_id": "bigint",
        "name": "text",
        "names": "jsonb",
        "parent_id": "bigint",
        "is_allowed": "boolean",
        "is_ean_mandatory": "boolean",
        "is_warranty_mandatory": "boolean",
        "raw": "jsonb",
    },
    "The marketplace's active categories: table `emag_categories`, with names in its own language and in English. "
    "Read page by page until the pages add up to the marketplace's count.",
)
VAT_RATES = Resource(
    "vat_rates",
    "emag_vat_rates",
    {"vat_id": "bigint", "rate": "numeric(9,4)", "raw": "jsonb"},
    "The marketplace's VAT rates: table `emag_vat_rates`, as a share of 1, e.g. 0.21. Prices with VAT depend on them.",
)
HANDLING_TIMES = Resource(
    "handling_times",
    "emag_handling_times",
    {"days": "integer", "raw": "jsonb"},
    "The handling times in days that the marketplace allows: table `emag_handling_times`.",
)
RESOURCES = (CATEGORIES, VAT_RATES, HANDLING_TIMES)


@dataclass(frozen=True, slots=True)
class Merged:
    """How many rows a merge has changed, and how many the marketplace has now."""

    created: int
    updated: int
    revived: int
    deleted: int
    rows: int


def merge(
    database: Database,
    resource: Resource,
    marketplace: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    account: str,
    is_whole: bool,
) -> Merged:
    """Merge what was read with an account's login into a marketplace's reference data, in one transaction.

    `rows` have the resource's columns; `raw` is JSON text. Unless they are complete (`is_whole`), no row gets a
    tombstone. Unchanged rows are not written. Raises ScanNotProven, without changes, if no row was read although some
    are stored.
    """
    text = simplejson.dumps([{**row, "raw": simplejson.RawJSON(row["raw"])} for row in rows], use_decimal=True)
    with database.transaction(timeout_seconds=120) as tx:
        if not rows:
            _require_nothing_stored(tx, resource, marketplace)
        changed = _run(tx, "merge", resource, marketplace=marketplace, rows=text).one()
        deleted = _run(tx, "tombstone", resource, marketplace=marketplace, rows=text).rowcount if is_whole else 0
        if resource is VAT_RATES:
            for step in ("close_vat_rates", "open_vat_rates"):
                tx.run(statements("reference/reference.sql")[step], marketplace=marketplace)
        count = int(_run(tx, "count", resource, marketplace=marketplace).scalar_one())
        _run(tx, "note_read", resource, marketplace=marketplace, resource=resource.name, count=count, account=account)
    merged = Merged(changed.created, changed.updated, changed.revived, deleted, count)
    if statistics.is_much(merged.created + merged.updated + merged.revived + merged.deleted, count):
        statistics.renew(database, [resource.table])
    return merged


def last_reads(database: Database, marketplace: str) -> dict[str, datetime]:
    """When each resource was last read completely (UTC), by name; without those that never were."""
    with database.transaction(timeout_seconds=30) as tx:
        rows = tx.run(statements("reference/reference.sql")["last_reads"], marketplace=marketplace)
        return {row.resource: row.read_at for row in rows}


def sample(database: Database, resource: Resource, marketplace: str, most: int) -> list[dict[str, Any]]:
    """The first rows of a resource by their key, without `raw`."""
    with database.transaction(timeout_seconds=30) as tx:
        return [dict(row._mapping) for row in _run(tx, "sample", resource, marketplace=marketplace, most=most)]


def _require_nothing_stored(tx: Transaction, resource: Resource, marketplace: str) -> None:
    stored = _run(tx, "count", resource, marketplace=marketplace).scalar_one()
    if stored:
        raise ScanNotProven(
            f"the marketplace shows no {resource.name.replace('_', ' ')}",
            where=marketplace,
            why=f"{stored:,} are stored, and an empty response is not trusted",
            remedy="Nothing was changed; it is read again later. If it persists, look at the marketplace's status",
        )


def _run(tx: Transaction, name: str, resource: Resource, /, **parameters: Any) -> Any:
    return tx.run(filled(statements("reference/reference.sql")[name], _words(resource)), **parameters)


def _words(resource: Resource) -> dict[str, str]:
    """The replacements for the words in braces of reference.sql."""
    names = list(resource.columns)
    return {
        "table": resource.table,
        "key": resource.key,
        "typed": ", ".join(f"{name} {kind}" for name, kind in resource.columns.items()),
        "columns": listed(names),
        "shown": listed([name for name in names if name != "raw"]),
        **{f"{alias}_columns": listed(names, alias) for alias in ("t", "r", "excluded")},
    }


# Existing offers whose category or VAT rate is not in the marketplace's reference data: they are kept, and reported.

SAMPLE = 20
_TIMEOUT_SECONDS = 300.0

_NARROW = "emag_product_offers"
_WITH_CONTENT = f"({_NARROW} JOIN emag_products USING (account_type, emag_offer_id))"


@dataclass(frozen=True, slots=True)
class Unknown:
    """How many offers of a marketplace have an unknown id, how many such ids there are, and the first of the offers.

    `no_longer_listed` counts the offers whose id was known before: its name or rate is kept. `without_id` counts offers
    without any id, e.g. drafts, which are not findings.
    """

    offers: int
    ids: int
    no_longer_listed: int
    without_id: int
    sample: Sequence[dict[str, Any]]


def unknown_categories(database: Database, marketplace: str) -> Unknown:
    """Offers in categories that are not active in emag_categories."""
    return _unknown(database, CATEGORIES, marketplace, _WITH_CONTENT)


def unknown_vat_rates(database: Database, marketplace: str) -> Unknown:
    """Offers with VAT ids that are not, or no longer, in emag_vat_rates."""
    return _unknown(database, VAT_RATES, marketplace, _NARROW)


def _unknown(database: Database, resource: Resource, marketplace: str, offers: str) -> Unknown:
    """`offers` is the table or join with the id."""
    named = statements("reference/checks.sql")
    words = {"table": resource.table, "key": resource.key, "offers": offers}
    count = filled(named["count_unknown"], words)
    first_of_them = filled(named["sample_unknown"], words)
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        counted = tx.run(count, marketplace=marketplace).one()
        found = tx.run(first_of_them, marketplace=marketplace, most=SAMPLE).all() if counted.offers else ()
        return Unknown(**counted._mapping, sample=[dict(row._mapping) for row in found])
