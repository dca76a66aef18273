"""Which marketplace each account sells on (emag_accounts): what SQL needs to find its reference data."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings import Settings
from emag_pipeline.settings.accounts import Account, is_here
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import row_of
from emag_pipeline.store.sql import statements

_SQL = statements("sync/accounts.sql")
#: Accounts of which offers are kept, and that are not among those :configured.
LEFT_ACCOUNTS = _SQL["left_accounts"]


@dataclass(frozen=True, slots=True)
class KnownPageSize:
    """Offers a page that the marketplace manages for an account; None = whatever the settings ask for."""

    size: int | None = None
    #: found, or a larger one tried, within the last 24 hours
    is_recent: bool = False


def page_size(database: Database, account: str) -> KnownPageSize:
    """The page size that was found for an account, if a smaller one than asked for was needed."""
    with database.transaction(timeout_seconds=60) as tx:
        return row_of(tx.run(_SQL["page_size"], account=account), KnownPageSize) or KnownPageSize()


def note_page_size(database: Database, account: str, size: int | None) -> None:
    """Keep the page size that works for an account, None when none smaller than asked for is needed."""
    with database.transaction(timeout_seconds=60) as tx:
        tx.run(_SQL["note_page_size"], account=account, size=size)


def first_host(database: Database, account: str, marketplace: str, currency: str | None, host: str) -> str:
    """The host that the account was first read from; this one where none is known yet, which it is from now on."""
    known = host_of(database, account)
    if known is not None:
        return known
    noted = {"account": account, "marketplace": marketplace, "currency": currency, "host": host}
    with database.transaction(timeout_seconds=60) as tx:
        return str(tx.run(_SQL["note_host"], **noted).scalar_one())


def host_of(database: Database, account: str) -> str | None:
    """The host that an account was first read from; None where none is known."""
    with database.transaction(timeout_seconds=60) as tx:
        sql = "SELECT host FROM emag_accounts WHERE account_type = :account"
        host = tx.run(sql, account=account).scalar()
    return None if host is None else str(host)


def left_accounts(database: Database, configured: Collection[str]) -> list[str]:
    """Accounts of which offers are kept, and that are not among those configured; by name."""
    with database.transaction(timeout_seconds=60) as tx:
        return [str(name) for name in tx.run(LEFT_ACCOUNTS, configured=list(configured)).scalars()]


def note_accounts(
    database: Database, accounts: Iterable[tuple[str, str, str | None]], *, by: str | None = None
) -> None:
    """Say of each account which marketplace it sells on and in which currency (ISO 4217, None if not known).

    Writes what is new or has changed. An account that is not named stays, since its offers are still there, and is
    marked as left (`left_at`) if the one who says so, the Dagster instance `by`, was the last to sync it.
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
    """Write the settings' accounts with their marketplaces into emag_accounts, where they have changed.

    `by`: the Dagster instance that says so; what it synced and does not configure any more is marked as left.
    """
    places = [(account.name, account.marketplace) for account in settings.accounts]
    note_accounts(database, [(name, place.name, place.currency) for name, place in places], by=by)


def require_same_host(database: Database, account: Account) -> None:
    """Note the account's host when it is read for the first time. Raises SettingsError when it was another one then.

    Else two catalogues would meet under one name, as after a try on the sandbox, or with another country's address.
    """
    place = account.marketplace
    before = first_host(database, account.name, place.name, place.currency, account.host)
    if not is_same(before, account.host):
        raise SettingsError(
            f"its offers came from {before}, and now it is to be read from {account.host}",
            where=account.name,
            remedy=f"Remove what is kept of it with `emag-pipeline forget {account.name}`, give the account another "
            "name, or correct the address",
        )


def is_same(one: str, other: str) -> bool:
    """Whether two hosts are one; all names of this machine are."""
    return one == other or (is_here(one) and is_here(other))
