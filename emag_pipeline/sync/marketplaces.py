"""Where each account sells, told to the database: by that SQL finds VAT rates, categories and currencies."""

from emag_pipeline.db.accounts import note_accounts
from emag_pipeline.db.engine import Database
from emag_pipeline.settings import Settings


def note_marketplaces(database: Database, settings: Settings, by: str | None = None) -> None:
    """Write the settings' accounts with their marketplaces into emag_accounts, where they have changed.

    `by`: the Dagster instance that says so; what it synced and does not configure any more is marked as left.
    """
    places = [(account.name, account.marketplace) for account in settings.accounts]
    note_accounts(database, [(name, place.name, place.currency) for name, place in places], by=by)
