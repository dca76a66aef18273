"""Brings a mart of one account up to date: inserts new rows, updates changed ones, deletes obsolete ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from math import ceil
from typing import Any
from uuid import UUID

from emag_pipeline.errors import PermanentError
from emag_pipeline.marts.registry import Mart
from emag_pipeline.store.columns import listed
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import filled, statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import statistics

#: The most offers that one statement computes: a million from scratch would take minutes.
_AT_ONCE = 250_000


@dataclass(frozen=True, slots=True)
class MartRefresh:
    """What a refresh found and did, in rows; and the account's newest publish at that time (UTC)."""

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
) -> MartRefresh:
    """Bring a mart of an account up to date in one transaction; `day` for a mart by day.

    `language` (two letters) is the preferred one for quotations of the marketplace, English if it is None.

    Only offers that may have changed since the publish that the mart shows are processed. All offers are processed the
    first time, with `from_scratch`, if rules or rates have changed, and if the mart's check fails. Unchanged rows are
    not written (G9). Two refreshes of the same mart and account wait for each other. Raises PermanentError if the
    account was never published.
    """
    scope: dict[str, Any] = {"account": account, "mart": mart.name, "language": language, **mart.parameters}
    if day is not None:
        scope["day"] = day
    with database.transaction() as tx:
        tx.run(statements("marts/merge.sql")["lock"], mart=mart.name, account=account)
        statistics.expect_account(tx, account)
        known = _known(tx, mart, scope)
        shown_at = None if from_scratch else known.shown_at
        by_offer = "touched" in mart.statements
        if by_offer and shown_at is not None:
            row = _by_change(tx, mart, scope, known)
        elif by_offer and known.offers > _AT_ONCE:
            row = _in_parts(tx, mart, {**scope, "basis": known.basis, "shown_rows": None}, known.offers)
        else:
            row = _merged(tx, mart, _ALL, {**scope, "basis": known.basis, "shown_at": shown_at, "shown_rows": None})
    if row is None:
        raise PermanentError(
            f"{mart.name} was not computed",
            where=account,
            why="the account was never published",
            remedy=f"Refresh its offers first: `emag-pipeline sync --account {account}`",
        )
    done = MartRefresh(**row)
    if statistics.is_much(done.inserted + done.updated + done.deleted, done.rows):
        statistics.renew(database, [mart.table])
    return done


@dataclass(frozen=True, slots=True)
class _Offers:
    """The offers that a refresh processes: an SQL condition on the offer of `{}`, and the query for those `touched`."""

    condition: str = "true"
    touched: str = "SELECT CAST(NULL AS bigint) AS emag_offer_id WHERE false"
    #: whether the mart shows the newest publish afterwards
    are_all: bool = True


_ALL = _Offers()
_PART = _Offers("{0}.emag_offer_id > :after AND {0}.emag_offer_id <= :to", are_all=False)
_FIRST_ID, _LAST_ID = -(2**63), 2**63 - 1


def _known(tx: Transaction, mart: Mart, scope: Mapping[str, Any], *, is_filled: bool = False) -> Any:
    sql = filled(statements("marts/merge.sql")["known"], {"rates": mart.statements.get("rates", "NULL")})
    return tx.run(sql, **scope, rules=mart.rules(scope["language"]), is_filled=is_filled).one()


def _by_change(tx: Transaction, mart: Mart, scope: Mapping[str, Any], known: Any) -> dict[str, Any] | None:
    condition = "{}.emag_offer_id = ANY (ARRAY(SELECT emag_offer_id FROM touched))"
    shown = {name: getattr(known, name) for name in ("basis", "shown_at", "shown_rows", "day_before_stamp")}
    return _merged(tx, mart, _Offers(condition, mart.statement("touched")), {**scope, **shown})


def _in_parts(tx: Transaction, mart: Mart, scope: Mapping[str, Any], offers: int) -> dict[str, Any] | None:
    """Process part by part, each in its own snapshot; then the changes, if anything was published meanwhile."""
    named = statements("marts/merge.sql")
    first = tx.run(named["parts"], account=scope["account"], parts=ceil(offers / _AT_ONCE)).one_or_none()
    if first is None:
        return None
    bounds = [_FIRST_ID, *first.bounds, _LAST_ID]
    merged = [_merged(tx, mart, _PART, {**scope, "after": after, "to": to}) for after, to in pairwise(bounds)]
    done = {name: sum(one[name] for one in merged if one) for name in ("rows", "inserted", "updated", "deleted")}
    shown = {"sync_id": first.sync_id, "published_at": first.published_at}
    note = filled(named["note"], {"counted": f"({named['of_parts']}) parts", "shows_newest": "true"})
    tx.run(note, **{name: scope[name] for name in ("account", "mart", "basis")}, **shown, **done)
    if merged[-1] and merged[-1]["sync_id"] == first.sync_id:
        return done | shown
    known = _known(tx, mart, {name: scope[name] for name in ("account", "mart", "language")}, is_filled=True)
    last = _by_change(tx, mart, scope, known)
    return last and last | {name: done[name] + last[name] for name in ("inserted", "updated", "deleted")}


def _merged(tx: Transaction, mart: Mart, offers: _Offers, scope: Mapping[str, Any]) -> dict[str, Any] | None:
    named = statements("marts/merge.sql")
    words = {
        "note": named["note"],
        "counted": "counted",
        "shows_newest": mart.shows_newest if offers.are_all else "false",
        "fresh": mart.statement("fresh"),
        "touched": offers.touched,
        **{f"{alias}_of_touched": offers.condition.format(alias) for alias in ("h", "m", "o")},
        "table": mart.table,
        "scope": mart.scope,
        **_lists("key", mart.key),
        **_lists("columns", mart.columns),
    }
    row = tx.run(filled(named["merge"], words), **scope).one_or_none()
    return None if row is None else dict(row._mapping)


def _lists(name: str, columns: Sequence[str]) -> dict[str, str]:
    return {name: listed(columns), f"f_{name}": listed(columns, "f"), f"m_{name}": listed(columns, "m")}
