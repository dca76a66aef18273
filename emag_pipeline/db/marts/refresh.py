"""Bringing a mart of one account up to date: insert what is new, update what differs, delete what is gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from emag_pipeline.db import statistics
from emag_pipeline.db.columns import listed
from emag_pipeline.db.engine import Database
from emag_pipeline.db.marts.marts import Mart
from emag_pipeline.db.sql import statements
from emag_pipeline.errors import PermanentError


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh found and did, in rows; and the account's newest publish when it looked (UTC)."""

    rows: int
    inserted: int
    updated: int
    deleted: int
    sync_id: UUID
    published_at: datetime


def refresh(
    database: Database,
    mart: Mart,
    account: str,
    day: date | None = None,
    *,
    language: str | None = None,
    from_scratch: bool = False,
) -> Refreshed:
    """Bring a mart of an account up to date in one transaction; `day` for daily_assortment.

    `language` (two letters) is the one in which the marketplace is quoted where it can be, English if it is None.

    Only offers that may have changed since the publish that the mart shows are looked at; all of them `from_scratch`,
    the first time, when rules or rates are others than then, and when the mart's check does not pass. What has not
    changed is not written (G9). Two refreshes of the same mart and account wait for each other. Raises PermanentError
    when the account was never published.
    """
    scope: dict[str, Any] = {"account": account, "mart": mart.name, "language": language, **mart.parameters}
    if day is not None:
        scope["day"] = day
    named = statements("marts/merge.sql")
    with database.transaction() as tx:
        tx.run(named["lock"], mart=mart.name, account=account)
        statistics.expect_account(tx, account)
        sql = named["known"].replace("{rates}", mart.statements.get("rates", "NULL"))
        known = tx.run(sql, mart=mart.name, account=account, rules=mart.rules(language)).one()
        shown_at = None if from_scratch else known.shown_at
        by_change = shown_at is not None and "touched" in mart.statements
        scope |= {"basis": known.basis, "shown_at": shown_at, "shown_rows": known.shown_rows if by_change else None}
        scope["day_before_stamp"] = known.day_before_stamp
        row = tx.run(_merge(named["merge"], mart, by_change=by_change), **scope).one_or_none()
    if row is None:
        raise PermanentError(
            f"{mart.name} was not computed",
            where=account,
            why="the account was never published",
            remedy=f"Refresh its offers first: `emag-pipeline sync --account {account}`",
        )
    done = Refreshed(**row._mapping)
    if statistics.is_much(done.inserted + done.updated + done.deleted, done.rows):
        statistics.renew(database, [mart.table])
    return done


_NONE = "SELECT CAST(NULL AS bigint) AS emag_offer_id WHERE false"


def _merge(template: str, mart: Mart, *, by_change: bool) -> str:
    is_touched = "{}.emag_offer_id = ANY (ARRAY(SELECT emag_offer_id FROM touched))" if by_change else "true"
    words = {
        "{fresh}": mart.statement("fresh"),
        "{touched}": mart.statement("touched") if by_change else _NONE,
        **{f"{{{alias}_of_touched}}": is_touched.format(alias) for alias in ("h", "m", "o")},
        "{table}": mart.table,
        "{scope}": mart.scope,
        "{shows_newest}": mart.shows_newest,
        **_lists("key", mart.key),
        **_lists("columns", mart.columns),
    }
    for word, sql in words.items():
        template = template.replace(word, sql)
    return template


def _lists(name: str, columns: Sequence[str]) -> dict[str, str]:
    return {
        f"{{{name}}}": listed(columns),
        f"{{f_{name}}}": listed(columns, "f"),
        f"{{m_{name}}}": listed(columns, "m"),
    }
