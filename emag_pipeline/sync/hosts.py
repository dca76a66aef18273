"""Is an account still the marketplace's that its data came from? Else two catalogues would meet under one name.

That happens to whoever tried the sandbox first, and to whoever sets another country's address.
"""

from emag_pipeline.accounts import Account
from emag_pipeline.db.accounts import first_host
from emag_pipeline.db.engine import Database
from emag_pipeline.errors import SettingsError
from emag_pipeline.marketplaces import is_here


def require_same_host(database: Database, account: Account) -> None:
    """Note the account's host when it is read for the first time. Raises SettingsError when it was another one then."""
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
