"""Bring a marketplace's reference data up to date: read it whole with one account's login, and merge it.

It needs no lease: a read that is merged twice changes nothing. Its calls share the account's rate budget with syncs.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emag_pipeline.accounts import Account
from emag_pipeline.api import ReferenceData, Surprise
from emag_pipeline.db import reference, surprises
from emag_pipeline.db.engine import Database
from emag_pipeline.db.reference import CATEGORIES, HANDLING_TIMES, VAT_RATES, Merged, Resource
from emag_pipeline.errors import ScanNotProven, SettingsError
from emag_pipeline.logs import about, logger
from emag_pipeline.plurals import counted
from emag_pipeline.settings import Settings
from emag_pipeline.sync.categories import read_categories
from emag_pipeline.sync.context import shared_budget, timeouts_of
from emag_pipeline.sync.marketplaces import note_marketplaces
from emag_pipeline.sync.persistence import until_done
from emag_pipeline.sync.request_log import RequestLog

log = logger(__name__)

#: Rows as the database takes them, why others cannot be represented, and what was noticed in any.
_Found = tuple[Sequence[Mapping[str, Any]], Sequence[str], Sequence[Surprise]]
#: What is called for each, as in emag_requests.
_CALLED = {CATEGORIES.name: "category/read", VAT_RATES.name: "vat/read", HANDLING_TIMES.name: "handling_time/read"}


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh of one resource did, with which account's login, and in how many calls.

    `unreadable` says of each row that cannot be represented why; while there are such, nothing got a tombstone.
    """

    account: str
    merged: Merged
    unreadable: Sequence[str]
    requests: int
    seconds: float


def refresh_reference(settings: Settings, database: Database, marketplace: str, resource: Resource) -> Refreshed:
    """Read one resource of a marketplace to its end, and make the tables show it.

    Raises the client's and the storage's errors; ScanNotProven when what was read is not to be believed; SettingsError
    when no account sells on the marketplace. Nothing has changed then.
    """
    began = time.monotonic()
    account = account_for(settings, marketplace)
    settings.require_marketplace()
    note_marketplaces(database, settings)
    with about(account=account.name, marketplace=marketplace):
        (rows, unreadable, noticed), requests = _read(settings, database, account, resource)
        until_done(lambda: surprises.keep(database, account.name, _CALLED[resource.name], noticed))
        if unreadable:
            log.warning("reference_rows_unreadable", resource=resource.name, rows=len(unreadable), first=unreadable[0])
        if unreadable and not rows:
            raise ScanNotProven(
                f"none of {counted(len(unreadable), 'row')} of {resource.name} can be read",
                where=marketplace,
                why=unreadable[0],
                remedy="Nothing was changed; if it persists, the API has changed: report it with this line",
            )
        merged = until_done(
            lambda: reference.merge(
                database, resource, marketplace, rows, account=account.name, is_whole=not unreadable
            )
        )
        changes = {"created": merged.created, "updated": merged.updated, "deleted": merged.deleted}
        log.info("reference_refreshed", resource=resource.name, rows=merged.rows, requests=requests, **changes)
    return Refreshed(account.name, merged, unreadable, requests, time.monotonic() - began)


def account_for(settings: Settings, marketplace: str) -> Account:
    """The account that reads a marketplace's reference data: the first of the settings that sells there."""
    for account in settings.accounts:
        if account.marketplace.name == marketplace:
            return account
    known = ", ".join(sorted({account.marketplace.name for account in settings.accounts}))
    raise SettingsError(f"no account sells on {marketplace!r}", remedy=f"Use one of: {known}")


def _read(settings: Settings, database: Database, account: Account, resource: Resource) -> tuple[_Found, int]:
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
