"""Facts about each account (emag_accounts): its marketplace, host and page size, and whether it is configured."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import Settings
from emag_pipeline.settings.accounts import Account, is_here
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import row_of
from emag_pipeline.store.sql import statements

_SQL = statements("sync/accounts.sql")
#: Accounts with stored offers that are not among those :configured.
LEFT_ACCOUNTS = _SQL["left_accounts"]


@dataclass(frozen=True, slots=True)
class KnownPageSize:
    """The page size that works for an account; None means the size in the settings."""

    size: int | None = None
    #: found, or a larger one attempted, within the last 24 hours
    is_recent: bool = False


def page_size(database: Database, account: str) -> KnownPageSize:
    """The page size recorded for an account, if it needs a smaller one than in the settings."""
    with database.transaction(timeout_seconds=60) as tx:
        return row_of(tx.run(_SQL["page_size"], account=account), KnownPageSize) or KnownPageSize()


def note_page_size(database: Database, account: str, size: int | None) -> None:
    """Record the page size that works for an account, None if the one in the settings works."""
    with database.transaction(timeout_seconds=60) as tx:
        tx.run(_SQL["note_page_size"], account=account, size=size)


def first_host(database: Database, account: str, marketplace: str, currency: str | None, host: str) -> str:
    """The host that the account was first read from. If none is known yet, record and return `host`."""
    known = host_of(database, account)
    if known is not None:
        return known
    noted = {"account": account, "marketplace": marketplace, "currency": currency, "host": host}
    with database.transaction(timeout_seconds=60) as tx:
        return str(tx.run(_SQL["note_host"], **noted).scalar_one())


def host_of(database: Database, account: str) -> str | None:
    """The host that an account was first read from; None if unknown."""
    with database.transaction(timeout_seconds=60) as tx:
        sql = "SELECT host FROM emag_accounts WHERE account_type = :account"
        host = tx.run(sql, account=account).scalar()
    return None if host is None else str(host)


def left_accounts(database: Database, configured: Collection[str]) -> list[str]:
    """Accounts with stored offers that are not configured, by name."""
    with database.transaction(timeout_seconds=60) as tx:
        return [str(name) for name in tx.run(LEFT_ACCOUNTS, configured=list(configured)).scalars()]


def note_accounts(
    database: Database, accounts: Iterable[tuple[str, str, str | None]], *, by: str | None = None
) -> None:
    """Record the marketplace and the currency (ISO 4217, None if unknown) of each account.

    Writes only new and changed rows. Accounts that are not given stay, since their offers still exist; they are marked
    as left (`left_at`) if `by`, the Dagster instance of the caller, was the last to sync them.
    """
    known = list(accounts)
    with database.transaction(timeout_seconds=60) as tx:
        names = [account for account, _, _ in known]
        places = {
            "marketplaces": [place for _, place, _ in known],
            "currencies": [currency for _, _, currency in known],
        }
        tx.run(_SQL["note"], accounts=names, **places)
        if by is not None:
            tx.run(_SQL["mark_left"], accounts=names, by=by)


def note_marketplaces(database: Database, settings: Settings, by: str | None = None) -> None:
    """Record the settings' accounts and marketplaces in emag_accounts if they have changed.

    `by`: the caller's Dagster instance; accounts that it synced and that are no longer configured are marked as left.
    """
    places = [(account.name, account.marketplace) for account in settings.accounts]
    note_accounts(database, [(name, place.name, place.currency) for name, place in places], by=by)


def require_same_host(database: Database, account: Account) -> None:
    """Record the account's host when it is read for the first time; raise SettingsError if it differs later.

    Otherwise two catalogues would be mixed under one name, e.g. after trying the sandbox or another country's address.
    """
    place = account.marketplace
    before = first_host(database, account.name, place.name, place.currency, account.host)
    if error := _not_same(before, account):
        raise error


def of_another_host(database: Database, account: Account) -> SettingsError | None:
    """The error with which every sync of the account is refused because its offers came from another host, or None.

    Only reads.
    """
    before = host_of(database, account.name)
    return None if before is None else _not_same(before, account)


def _not_same(before: str, account: Account) -> SettingsError | None:
    if is_same(before, account.host):
        return None
    whose = f"{before} (a sandbox)" if is_here(before) else before
    return SettingsError(
        f"its offers came from {whose}, but now it would be read from {account.host}",
        where=account.name,
        remedy=f"Remove its stored data with `emag-pipeline forget {account.name} --yes`, give the account another "
        "name, or correct the address",
    )


def is_same(one: str, other: str) -> bool:
    """Whether two hosts are the same; all names of this machine are."""
    return one == other or (is_here(one) and is_here(other))
