"""What the data team reviews: findings among an account's offers, check by check, less what is accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emag_pipeline.review.deviations import ACTIVE
from emag_pipeline.store.columns import NARROW, TEXTS, hashed
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import remembered, statistics

#: Findings are counted in full; a table of more than these is read by nobody.
SAMPLE = 20
_TIMEOUT_SECONDS = 300.0
#: of the ranking, and none of a finding's own columns
_PLACES = ("is_accepted", "found", "place", "weight")


@dataclass(frozen=True, slots=True)
class Review:
    """What a check found: how many offers, and of each kind a sample of at most SAMPLE rows, the gravest first.

    `numbers` is what the findings are to be measured against, by check; empty before the first publish.
    """

    found: int
    accepted: int
    sample: Sequence[Mapping[str, Any]]
    accepted_sample: Sequence[Mapping[str, Any]]
    numbers: Mapping[str, Any]
    #: the account was published at some time
    is_published: bool = True


def review(database: Database, check: str, account: str, *, currency: str | None, price_move: float) -> Review:
    """Run a check of review.sql on the account's published offers.

    `currency` is the marketplace's, if it is known; `price_move` the share by which a price may move at a publish.
    """
    scope = {"account": account, "currency": currency, "price_move": price_move}
    named = statements("review/findings.sql")
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        statistics.expect_account(tx, account)
        rows = _run(tx, named["judge"].replace("{findings}", named[check]), check=check, most=SAMPLE, **scope).all()
        is_published = bool(tx.run(_IS_PUBLISHED, account=account).scalar_one())
        numbers = _run(tx, named[f"numbers_of_{check}"], **scope).one_or_none()
    found = dict.fromkeys((False, True), 0) | {row.is_accepted: row.found for row in rows}
    return Review(
        found=found[False],
        accepted=found[True],
        sample=[_finding(row) for row in rows if not row.is_accepted],
        accepted_sample=[_finding(row) for row in rows if row.is_accepted],
        numbers={} if numbers is None else dict(numbers._mapping),
        is_published=is_published,
    )


def not_found(
    database: Database, check: str, account: str, offers: Sequence[int], *, currency: str | None, price_move: float
) -> list[int]:
    """Which of the offers a check of review.sql does not find now, accepted or not; `currency`… as for `review`."""
    findings = statements("review/findings.sql")[check].rstrip().rstrip(";")
    sql = f"SELECT emag_offer_id FROM ({findings}) f WHERE emag_offer_id = ANY(:offers)"
    scope = {"account": account, "currency": currency, "price_move": price_move}
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        found = set(_run(tx, sql, check=check, offers=list(offers), **scope).scalars())
    return [offer for offer in dict.fromkeys(offers) if offer not in found]


def _run(tx: Transaction, sql: str, **scope: Any) -> Any:
    for part in _PARTS:
        sql = sql.replace(f"{{{part}}}", statements("review/findings.sql")[part])
    for word, text in _FRAGMENTS.items():
        sql = sql.replace(word, text)
    return tx.run(sql, formula=remembered.digest_formula(), **scope)


def _finding(row: Any) -> dict[str, Any]:
    """The offer first, then what is wrong with it."""
    columns = dict(row._mapping)
    offer = {name: columns.pop(name) for name in ("emag_offer_id", "part_number", "name", "what")}
    return offer | {name: value for name, value in columns.items() if name not in _PLACES}


_IS_PUBLISHED = """SELECT EXISTS (SELECT FROM emag_offer_syncs
                                  WHERE account_type = :account AND status = 'completed')"""
#: statements that others are made of
_PARTS = ("last_sync", "price_moves", "eans")
_FRAGMENTS = {
    "{active}": ACTIVE,
    "{s_narrow_hash}": hashed(NARROW, "s"),
    "{o_narrow_hash}": hashed(NARROW, "o"),
    "{s_texts_hash}": hashed(TEXTS, "s"),
    "{p_texts_hash}": hashed(TEXTS, "p"),
}
