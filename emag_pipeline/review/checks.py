"""The registry of checks on published offers, and how a check is run: its findings without accepted deviations.

A check is an entry here and a statement with its name in findings.sql; its asset check, severity, acceptance and
reports are derived from both. Two checks are written in Python instead (dagster.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from emag_pipeline.store.columns import NARROW, TEXTS, hashed
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import filled, statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import remembered, statistics


@dataclass(frozen=True, slots=True)
class OfferCheck:
    """A check on offers: what holds if it passes, the severity of a failure, and the remedy, one sentence each.

    ERROR means that the copy cannot be relied upon; WARN that the copy is right but the catalogue looks wrong.
    `accepts`: which findings a person may accept, on single offers or on the account as a whole. A check
    `of_a_publish` runs within the run that published, the others with the marts.
    """

    name: str
    sentence: str
    severity: Literal["ERROR", "WARN"]
    remedy: str
    accepts: Literal["offers", "account", "nothing"] = "offers"
    of_a_publish: bool = False


PUBLISHED_EQUALS_SCAN = OfferCheck(
    "published_equals_scan",
    "Readers see exactly what the last scan read: each offer, its prices, its texts.",
    "ERROR",
    "Find out who besides the pipeline writes to these tables; docs/checks.md says how to publish the offers again",
    accepts="nothing",
    of_a_publish=True,
)
OFFERS_ARE_FRESH = OfferCheck(
    "offers_are_fresh",
    "The offers were read within the last EMAG_SYNC_STALE_AFTER_HOURS hours, or twice the last scan's duration.",
    "ERROR",
    "`emag-pipeline status` shows why nothing is published and how to fix it; until then the offers stay as they are",
    accepts="account",
    of_a_publish=True,
)
ANSWERS_ARE_AS_KNOWN = OfferCheck(
    "answers_are_as_known",
    "Since the last completed sync began, the marketplace has returned only known fields, types and codes.",
    "WARN",
    "Report the file that `emag-pipeline probe` writes, so that a new version supports it; until then, accept it",
    accepts="account",
)
CHECKS = (
    PUBLISHED_EQUALS_SCAN,
    OFFERS_ARE_FRESH,
    OfferCheck(
        "prices_are_plausible",
        "Every offer has a price above 0 and not above its recommended price, "
        "and none moved by more than EMAG_CHECK_PRICE_MOVE at the last publish.",
        "WARN",
        "Compare with the intended price, then correct it in the marketplace, or accept the finding",
    ),
    OfferCheck(
        "currencies_are_the_marketplaces",
        "Every offer is priced in the marketplace's currency; if that is not known, all are in the same one.",
        "ERROR",
        "Ask the marketplace's support why it reports these currencies. Sums in marts and report leave out offers in "
        "another currency than most, and assume that offers without a currency are in that one; group sums of your own "
        "by currency",
    ),
    OfferCheck(
        "ean_check_digits_are_right",
        "Every EAN of 8, 12, 13 or 14 digits ends with the correct check digit.",
        "WARN",
        "Correct the EAN in the marketplace: with a wrong one the offer may be attached to another product",
    ),
    OfferCheck(
        "part_number_keys_are_unique",
        "No two offers of the account are for the same product (part_number_key).",
        "WARN",
        "Keep one of the offers and end the others: they compete with each other",
    ),
    OfferCheck(
        "best_prices_are_consistent",
        "No saleable offer is cheaper than the best offer, and one with the buy button has the best price.",
        "WARN",
        "Check the product's page: the marketplace's documents do not guarantee this, so the prices may be right",
    ),
    ANSWERS_ARE_AS_KNOWN,
)
OF_A_PUBLISH = tuple(check for check in CHECKS if check.of_a_publish)
#: checks that run with the marts
OF_OFFERS = tuple(check for check in CHECKS if not check.of_a_publish)

#: All findings are counted; a table of more rows than this is not useful.
SAMPLE = 20
_TIMEOUT_SECONDS = 300.0
#: columns for sorting, which are not part of a finding
_PLACES = ("is_accepted", "found", "place", "weight")


@dataclass(frozen=True, slots=True)
class Review:
    """The findings of a check: how many offers, and a sample of at most SAMPLE rows per kind, the most severe first.

    `numbers` are reference figures of the check; empty before the first publish.
    """

    found: int
    accepted: int
    sample: Sequence[Mapping[str, Any]]
    accepted_sample: Sequence[Mapping[str, Any]]
    numbers: Mapping[str, Any]
    #: the account was published at some time
    is_published: bool = True


def review(database: Database, check: str, account: str, *, currency: str | None, price_move: float) -> Review:
    """Run a check of findings.sql on the account's published offers.

    `currency` is the marketplace's, if it is known; `price_move` the share by which a price may move at a publish.
    """
    scope = {"account": account, "currency": currency, "price_move": price_move}
    named = statements("review/findings.sql")
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        statistics.expect_account(tx, account)
        rows = _run(tx, named["judge"], check, most=SAMPLE, **scope).all()
        is_published = bool(tx.run(named["is_published"], account=account).scalar_one())
        numbers_of = named.get(f"numbers_of_{check}")
        numbers = _run(tx, numbers_of, check, **scope).one_or_none() if numbers_of else None
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
    """Which of the offers a check of findings.sql does not find now, accepted or not; `currency`… as for `review`."""
    sql = f"SELECT emag_offer_id FROM ({statements('review/findings.sql')[check]}) f WHERE emag_offer_id = ANY(:offers)"
    scope = {"account": account, "currency": currency, "price_move": price_move}
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        found = set(_run(tx, sql, check, offers=list(offers), **scope).scalars())
    return [offer for offer in dict.fromkeys(offers) if offer not in found]


def _run(tx: Transaction, sql: str, check: str, **scope: Any) -> Any:
    """Run a statement for a check: `{findings}` is the check's own, other words in braces are the file's statements."""
    named = statements("review/findings.sql")
    words = {
        **named,
        "findings": named[check],
        "active": statements("review/deviations.sql")["active"],
        "s_narrow_hash": hashed(NARROW, "s"),
        "o_narrow_hash": hashed(NARROW, "o"),
        "s_texts_hash": hashed(TEXTS, "s"),
        "p_texts_hash": hashed(TEXTS, "p"),
    }
    return tx.run(filled(sql, words), check=check, formula=remembered.digest_formula(), **scope)


def _finding(row: Any) -> dict[str, Any]:
    """A finding as a row: the offer first, then the problem."""
    columns = dict(row._mapping)
    offer = {name: columns.pop(name) for name in ("emag_offer_id", "part_number", "name", "what")}
    return offer | {name: value for name, value in columns.items() if name not in _PLACES}
