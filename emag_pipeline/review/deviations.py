"""Known deviations that the data team accepts for a time (emag_accepted_deviations): shown, but not failures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from emag_pipeline.errors import SettingsError
from emag_pipeline.review.checks import CHECKS
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import filled, statements
from emag_pipeline.store.transaction import Transaction

#: The checks whose findings can be accepted, and whether on single offers.
ACCEPTABLE = {check.name: check.accepts == "offers" for check in CHECKS if check.accepts != "nothing"}
LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class Deviation:
    """One acceptance. Without an offer it applies to the whole account; times are UTC."""

    deviation_id: int
    account: str
    check: str
    offer_id: int | None
    reason: str
    accepted_by: str
    accepted_at: datetime
    expires_at: datetime
    withdrawn_at: datetime | None
    is_active: bool


def accept(
    database: Database, account: str, check: str, offers: Sequence[int], *, reason: str, until: date, by: str
) -> None:
    """Accept a check's findings on these offers, or without offers on the whole account, to the end of a day (UTC).

    Raises SettingsError for a check that cannot be accepted, an empty reason, a day that is past or more than
    LONGEST_DAYS ahead, and an offer that the account does not have.
    """
    _require_acceptable(check, offers)
    if not reason.strip():
        raise SettingsError("the reason is empty", remedy="Say in a sentence why it is right as it is")
    expires_at = _end_of(until)
    with database.transaction(timeout_seconds=60) as tx:
        _require_offers(tx, account, offers)
        tx.run(
            _sql("accept"),
            account=account,
            check=check,
            offers=list(dict.fromkeys(offers)) or [None],
            reason=reason.strip(),
            by=by,
            expires_at=expires_at,
        )


def withdraw(database: Database, deviation_id: int) -> Deviation:
    """End an acceptance now, and return it. Raises SettingsError if none with this id is in force."""
    with database.transaction(timeout_seconds=60) as tx:
        ended = tx.run(_sql("withdraw"), id=deviation_id).rowcount
        if not ended:
            raise SettingsError(
                f"no acceptance {deviation_id} is in force", remedy="See their ids with `emag-pipeline deviations`"
            )
        [withdrawn] = rows_of(tx.run(f"{_sql('deviations')} WHERE deviation_id = :id", id=deviation_id), Deviation)
        return withdrawn


def deviations(database: Database, accounts: Sequence[str], *, also_ended: bool = False) -> list[Deviation]:
    """The accounts' acceptances, the next to end first; with `also_ended` also expired and withdrawn ones."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(_sql("of_accounts"), accounts=list(accounts), also_ended=also_ended)
        return rows_of(rows, Deviation)


def is_accepted(database: Database, account: str, check: str) -> bool:
    """Whether all findings of the check on the account are accepted now."""
    with database.transaction(timeout_seconds=60) as tx:
        return bool(tx.run(_sql("is_accepted"), account=account, check=check).scalar_one())


def _require_acceptable(check: str, offers: Sequence[int]) -> None:
    if check not in ACCEPTABLE:
        raise SettingsError(f"{check!r} cannot be accepted", remedy=f"Give one of {', '.join(ACCEPTABLE)}")
    if offers and not ACCEPTABLE[check]:
        raise SettingsError(f"{check} judges the account, not single offers", remedy="Leave --offer out")


def _end_of(day: date) -> datetime:
    today = datetime.now(UTC).date()
    if not today <= day <= today + timedelta(days=LONGEST_DAYS):
        raise SettingsError(
            f"{day} is {'over' if day < today else 'too far away'}",
            remedy=f"Give a day from {today} to {today + timedelta(days=LONGEST_DAYS)}; it can be accepted again then",
        )
    return datetime.combine(day + timedelta(days=1), time.min, UTC)


def _require_offers(tx: Transaction, account: str, offers: Sequence[int]) -> None:
    unknown = tx.run(_sql("unknown_offers"), account=account, offers=list(offers)).scalars()
    if missing := ", ".join(map(str, unknown)):
        raise SettingsError(
            f"the account has no offer {missing}", where=account, remedy="Take the ids from the check's table in the UI"
        )


def _sql(name: str) -> str:
    """A statement of deviations.sql, with the statements that it includes."""
    named = statements("review/deviations.sql")
    return filled(named[name], named)
