"""What readers see of an account, row by row, for comparing it with the marketplace or with an earlier look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from emag_pipeline.store.columns import NARROW, WIDE, listed
from emag_pipeline.store.engine import Database

_COLUMNS = tuple(column for column in NARROW + WIDE if column != "raw")


@dataclass(frozen=True, slots=True)
class PublishedOffer:
    """One published offer, both halves. `version` changes with every write to its narrow row."""

    columns: Mapping[str, Any]
    is_deleted: bool
    version: str


def first_publish_day(database: Database) -> date | None:
    """The day (UTC) of the oldest publish of any account; None where nothing was published."""
    with database.transaction(timeout_seconds=60) as tx:
        sql = "SELECT (min(published_at) AT TIME ZONE 'UTC')::date FROM emag_publishes"
        day: date | None = tx.run(sql).scalar_one()
    return day


def first_publish_days(database: Database, accounts: Sequence[str]) -> dict[str, date]:
    """The day (UTC) of the first publish of each of these accounts that was published."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(
            """SELECT account, (emag_known_since(account) AT TIME ZONE 'UTC')::date AS day
               FROM unnest(CAST(:accounts AS text[])) AS account""",
            accounts=list(accounts),
        )
        return {row.account: row.day for row in rows if row.day is not None}


def published_offers(database: Database, account: str) -> dict[int, PublishedOffer]:
    """All published offers of an account by id, tombstoned ones too."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(
            f"""SELECT emag_offer_id, {listed(_COLUMNS)}, deleted_at IS NOT NULL AS is_deleted,
                       o.xmin::text AS version
                FROM emag_product_offers o
                JOIN emag_products USING (account_type, emag_offer_id)
                WHERE account_type = :account""",
            account=account,
        ).mappings()
        return {
            row["emag_offer_id"]: PublishedOffer(
                {name: row[name] for name in _COLUMNS}, row["is_deleted"], row["version"]
            )
            for row in rows
        }
