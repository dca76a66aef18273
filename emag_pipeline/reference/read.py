"""Reads reference data with one account's login: when it is due, and how its completeness is proven."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from emag_pipeline.dagster_runs.start_time import due_moments
from emag_pipeline.errors import ScanNotProven, SettingsError
from emag_pipeline.logs import about, logger
from emag_pipeline.marketplace import Category, Obedience, ReferenceData, Rows
from emag_pipeline.model import Surprise
from emag_pipeline.reference import tables
from emag_pipeline.reference.tables import CATEGORIES, HANDLING_TIMES, RESOURCES, VAT_RATES, Merged, Resource
from emag_pipeline.settings import Settings, cron
from emag_pipeline.settings.accounts import Account, Marketplace
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import surprises
from emag_pipeline.sync.accounts import note_marketplaces
from emag_pipeline.sync.attempt import retry_on_db_error
from emag_pipeline.sync.context import shared_budget, timeouts_of
from emag_pipeline.sync.request_log import RequestLog
from emag_pipeline.wording import counted

# All categories of a marketplace, in its own language and in English, read until they are proven complete.
#
# The API guarantees no order and no end of pages (docs/marketplace-api.md, "Pages, counts and order"), so a reading is
# accepted only if it is consistent: the same count before and after it, no category twice, as many rows as were
# counted, and the same categories in both languages. A category that one reading missed, because another one in front
# of it was removed, shows up in the other reading.

log = logger(__name__)

MOST_READINGS = 3
_ROWS_A_PAGE = 100  # the marketplace's own page size
#: Ticks of the schedule that are searched for the longest interval: more than a week of working days.
_TICKS = 9


@dataclass(frozen=True, slots=True)
class ReferenceReading:
    """The rows of all pages in one language, and the number of rows on the page after the last one."""

    language: str
    rows: Rows[Category]
    rows_beyond: int

    @property
    def keys(self) -> set[int]:
        """The ids of the categories."""
        return {row.key for row in self.rows.readable}


def read_categories(
    client: ReferenceData, marketplace: Marketplace
) -> tuple[Sequence[Mapping[str, Any]], Sequence[str], Sequence[Surprise]]:
    """All categories as rows of emag_categories, reasons why others cannot be represented, and unexpected fields.

    `name` is in the marketplace's own language, `names` by language; only English if its language is not known.
    Raises ScanNotProven if three readings in a row are inconsistent, and the client's errors.
    """
    readings = _proven(client, marketplace)
    names: dict[int, dict[str, str]] = {}
    for reading in readings:
        for row in reading.rows.readable:
            if row.name is not None:
                names.setdefault(row.key, {})[reading.language] = row.name
    unreadable = [f"{reading.language}: {why}" for reading in readings for why in reading.rows.unreadable]
    own = readings[0].rows.readable
    unreadable += [f"the name of {row.key} is missing: {row.raw[:80]}" for row in own if row.key not in names]
    noticed = [one for reading in readings for one in reading.rows.surprises]
    return [_row(row, names[row.key]) for row in own if row.key in names], unreadable, noticed


def _row(category: Category, names: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        "category_id": category.key,
        "name": next(iter(names.values())),
        "names": names,
        "parent_id": category.parent_id,
        "is_allowed": category.is_allowed,
        "is_ean_mandatory": category.is_ean_mandatory,
        "is_warranty_mandatory": category.is_warranty_mandatory,
        "raw": category.raw,
    }


def _proven(client: ReferenceData, marketplace: Marketplace) -> list[ReferenceReading]:
    """Consistent readings in each language, the marketplace's own first."""
    languages = list(dict.fromkeys(filter(None, (marketplace.language, "en"))))
    against: list[str] = []
    obedience = client.obedience()
    for number in range(1, MOST_READINGS + 1):
        count = client.count_categories()
        if number == 1:
            obedience.judge_count(count)
        before = count.rows
        readings = [_read(client, language, before, obedience) for language in languages]
        against = list(doubts(readings, before, client.count_categories().rows))
        if not against:
            return readings
        log.warning("categories_read_again", round=number, against=against)
    raise ScanNotProven(
        f"the categories do not add up after {MOST_READINGS} readings",
        where=marketplace.name,
        why="; ".join(against),
        remedy="Nothing was changed; the next run starts from scratch",
    )


def _read(client: ReferenceData, language: str, count: int, obedience: Obedience) -> ReferenceReading:
    last = -(-count // _ROWS_A_PAGE)
    readable: list[Category] = []
    unreadable: list[str] = []
    noticed: list[Surprise] = []
    first: list[object] = []
    for page in range(1, last + 1):
        rows = client.read_categories(page, language)
        if not rows.readable and not rows.unreadable:
            break  # later pages are empty too, whatever the count
        first = _compared(obedience, first, rows, page)
        readable += rows.readable
        unreadable += rows.unreadable
        noticed += rows.surprises
    beyond = client.read_categories(last + 1, language)
    _compared(obedience, first if last == 1 else [], beyond, last + 1)
    rows_beyond = len(beyond.readable) + len(beyond.unreadable)
    return ReferenceReading(language, Rows(tuple(readable), tuple(unreadable), tuple(noticed)), rows_beyond)


def _compared(obedience: Obedience, first: list[object], rows: Rows[Category], page: int) -> list[object]:
    """The rows of page 1, after page 2 was compared with them."""
    shown = [*[row.key for row in rows.readable], *rows.unreadable]
    if page == 2:
        obedience.judge_pages(first, shown, page)
    return shown if page == 1 else first


def doubts(readings: Sequence[ReferenceReading], before: int, after: int) -> Iterator[str]:
    """The inconsistencies of the readings, in words; none if they are complete."""
    if after != before:
        counts = f"the marketplace counted {counted(before, 'category', 'categories')}"
        yield f"{counts} before the reading and {after:,} after it"
    for reading in readings:
        repeated = len(reading.rows.readable) - len(reading.keys)
        shown = len(reading.keys) + len(reading.rows.unreadable)
        if repeated:
            rows, shows = counted(repeated, "row"), "shows a category" if repeated == 1 else "show categories"
            yield f"{rows} ({reading.language}) {shows} that another row had shown already"
        if shown != before:
            counts = f"the marketplace counts {counted(before, 'category', 'categories')}"
            yield f"{counts}, the pages ({reading.language}) showed {shown:,}"
        if reading.rows_beyond:
            yield f"the page behind the last one ({reading.language}) shows {counted(reading.rows_beyond, 'row')}"
    is_legible = not any(reading.rows.unreadable for reading in readings)
    if is_legible and any(reading.keys != readings[0].keys for reading in readings):
        yield f"{' and '.join(reading.language for reading in readings)} show different categories"


# Bring a marketplace's reference data up to date: read all of it with one account's login, and merge it.
#
# It needs no lease: merging twice changes nothing. Its calls share the account's rate budget with syncs.

#: Rows for the database, reasons why others cannot be represented, and unexpected fields.
_Found = tuple[Sequence[Mapping[str, Any]], Sequence[str], Sequence[Surprise]]
#: The API resource of each, as in emag_requests.
_CALLED = {CATEGORIES.name: "category/read", VAT_RATES.name: "vat/read", HANDLING_TIMES.name: "handling_time/read"}


@dataclass(frozen=True, slots=True)
class ReferenceRefresh:
    """What a refresh of one resource did, with which account's login, and in how many calls.

    `unreadable` has the reason for each row that cannot be represented; if there are any, no row got a tombstone.
    """

    account: str
    merged: Merged
    unreadable: Sequence[str]
    requests: int
    seconds: float


def read_reference(settings: Settings, database: Database, marketplace: str, resource: Resource) -> ReferenceRefresh:
    """Read one resource of a marketplace completely, and merge it into the tables.

    Raises the client's and the storage's errors; ScanNotProven if the result is not trustworthy; SettingsError if no
    account sells on the marketplace. In all cases nothing is changed.
    """
    began = time.monotonic()
    account = account_for(settings, marketplace)
    settings.require_marketplace()
    note_marketplaces(database, settings)
    with about(account=account.name, marketplace=marketplace):
        (rows, unreadable, noticed), requests = _read_resource(settings, database, account, resource)
        retry_on_db_error(lambda: surprises.keep(database, account.name, _CALLED[resource.name], noticed))
        if unreadable:
            log.warning("reference_rows_unreadable", resource=resource.name, rows=len(unreadable), first=unreadable[0])
        if unreadable and not rows:
            raise ScanNotProven(
                f"none of {counted(len(unreadable), 'row')} of {resource.name} can be read",
                where=marketplace,
                why=unreadable[0],
                remedy="Nothing was changed; if it persists, the API has changed: report it with this line",
            )
        merged = retry_on_db_error(
            lambda: tables.merge(database, resource, marketplace, rows, account=account.name, is_whole=not unreadable)
        )
        changes = {"created": merged.created, "updated": merged.updated, "deleted": merged.deleted}
        log.info("reference_refreshed", resource=resource.name, rows=merged.rows, requests=requests, **changes)
    return ReferenceRefresh(account.name, merged, unreadable, requests, time.monotonic() - began)


def account_for(settings: Settings, marketplace: str) -> Account:
    """The account that reads a marketplace's reference data: the first of the settings that sells there."""
    for account in settings.accounts:
        if account.marketplace.name == marketplace:
            return account
    known = ", ".join(sorted({account.marketplace.name for account in settings.accounts}))
    raise SettingsError(f"no account sells on {marketplace!r}", remedy=f"Use one of: {known}")


def _read_resource(settings: Settings, database: Database, account: Account, resource: Resource) -> tuple[_Found, int]:
    """The resource's rows, and the number of calls that it took."""
    calls = RequestLog(database)
    client = ReferenceData(
        account, shared_budget(settings, database), record=calls.record, timeouts=timeouts_of(settings)
    )
    try:
        return _READERS[resource.name](client, account), calls.count
    finally:
        client.abort()
        client.close()
        calls.close()


def _vat_rates(client: ReferenceData, _: Account) -> _Found:
    found = client.read_vat_rates()
    return (
        [{"vat_id": row.key, "rate": row.rate, "raw": row.raw} for row in found.readable],
        found.unreadable,
        found.surprises,
    )


def _handling_times(client: ReferenceData, _: Account) -> _Found:
    found = client.read_handling_times()
    return [{"days": row.key, "raw": row.raw} for row in found.readable], found.unreadable, found.surprises


_READERS: dict[str, Callable[[ReferenceData, Account], _Found]] = {
    CATEGORIES.name: lambda client, account: read_categories(client, account.marketplace),
    VAT_RATES.name: _vat_rates,
    HANDLING_TIMES.name: _handling_times,
}


def read_last(database: Database, marketplace: str) -> datetime | None:
    """When the marketplace's reference data was last read (UTC): its oldest resource; None if one never was."""
    reads = tables.last_reads(database, marketplace)
    return min(reads.values()) if all(resource.name in reads for resource in RESOURCES) else None


def allowed_age(settings: Settings) -> timedelta:
    """The maximum age: one and a half times the longest interval of EMAG_REFERENCE_CRON.

    So a scheduled read and its retries may fail before the sensor or `sync` reads the data.
    """
    expression = cron.with_minute(settings.reference_cron, 0)
    ticks = due_moments(expression, settings.cron_timezone, datetime.now(UTC))
    return 1.5 * max(later - earlier for earlier, later in pairwise(islice(ticks, _TICKS)))


def is_old(read_at: datetime | None, settings: Settings) -> bool:
    """Whether it is due: it was never read, or longer ago than `allowed_age`."""
    return read_at is None or datetime.now(UTC) - read_at > allowed_age(settings)
