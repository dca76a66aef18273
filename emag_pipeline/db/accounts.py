"""Which marketplace each account sells on (emag_accounts): what SQL needs to find its reference data."""

from collections.abc import Iterable

from emag_pipeline.db.engine import Database

_NOTE = """
    INSERT INTO {schema}.emag_accounts AS a (account_type, marketplace, currency)
    SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:marketplaces AS text[]), CAST(:currencies AS text[]))
    ORDER BY 1  -- in one order, so that two processes cannot deadlock
    ON CONFLICT (account_type) DO UPDATE
        SET marketplace = excluded.marketplace, currency = excluded.currency, noted_at = now()
        WHERE (a.marketplace, a.currency) IS DISTINCT FROM (excluded.marketplace, excluded.currency)
"""


def note_accounts(database: Database, accounts: Iterable[tuple[str, str, str | None]]) -> None:
    """Say of each account which marketplace it sells on and in which currency (ISO 4217, None if not known).

    Writes what is new or has changed. An account that is not named stays: its offers are still there.
    """
    known = list(accounts)
    with database.transaction(timeout_seconds=60) as tx:
        tx.run(
            _NOTE,
            accounts=[account for account, _, _ in known],
            marketplaces=[marketplace for _, marketplace, _ in known],
            currencies=[currency for _, _, currency in known],
        )
