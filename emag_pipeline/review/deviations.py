"""Known deviations that the data team accepts for a time (emag_accepted_deviations): shown, and no failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from emag_pipeline.errors import SettingsError
from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction

#: The checks that can be accepted, and whether they find single offers.
ACCEPTABLE = {
    "offers_are_fresh": False,
    "prices_are_plausible": True,
    "currencies_are_the_marketplaces": True,
    "ean_check_digits_are_right": True,
    "part_number_keys_are_unique": True,
    "best_prices_are_consistent": True,
    "answers_are_as_known": False,
}
LONGEST_DAYS = 366

#: What is accepted now, as `d`, of :account's findings by :check.
ACTIVE = """emag_accepted_deviations d
    WHERE d.account_type = :account AND d.check_name = :check AND d.withdrawn_at IS NULL AND d.expires_at > now()"""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One acceptance. Without an offer it holds for the whole account; times are UTC."""

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


_DEVIATIONS = """
    SELECT deviation_id, account_type AS account, check_name AS check, emag_offer_id AS offer_id, reason, accepted_by,
           accepted_at, expires_at, withdrawn_at, withdrawn_at IS NULL AND expires_at > now() AS is_active
    FROM emag_accepted_deviations
"""


def accept(
    database: Database, account: str, check: str, offers: Sequence[int], *, reason: str, until: date, by: str
) -> None:
    """Accept what a check finds on these offers, or without offers on all of the account, to the end of a day (UTC).

    Raises SettingsError for a check that cannot be accepted, an empty reason, a day that is over or more than
    LONGEST_DAYS away, and an offer that the account does not have.
    """
    _require_acceptable(check, offers)
    if not reason.strip():
        raise SettingsError("the reason is empty", remedy="Say in a sentence why it is right as it is")
    expires_at = _end_of(until)
    with database.transaction(timeout_seconds=60) as tx:
        _require_offers(tx, account, offers)
        tx.run(
            """INSERT INTO emag_accepted_deviations
                   (account_type, check_name, emag_offer_id, reason, accepted_by, expires_at)
               SELECT :account, :check, offer, :reason, :by, :expires_at
               FROM unnest(CAST(:offers AS bigint[])) AS accepted (offer)""",
            account=account,
            check=check,
            offers=list(dict.fromkeys(offers)) or [None],
            reason=reason.strip(),
            by=by,
            expires_at=expires_at,
        )


def withdraw(database: Database, deviation_id: int) -> Deviation:
    """End an acceptance now, and return it. Raises SettingsError when there is none in force with this id."""
    with database.transaction(timeout_seconds=60) as tx:
        ended = tx.run(
            """UPDATE emag_accepted_deviations SET withdrawn_at = now()
               WHERE deviation_id = :id AND withdrawn_at IS NULL AND expires_at > now()""",
            id=deviation_id,
        ).rowcount
        if not ended:
            raise SettingsError(
                f"no acceptance {deviation_id} is in force", remedy="See their ids with `emag-pipeline deviations`"
            )
        return Deviation(**tx.run(_DEVIATIONS + "WHERE deviation_id = :id", id=deviation_id).one()._mapping)


def deviations(database: Database, accounts: Sequence[str], *, also_ended: bool = False) -> list[Deviation]:
    """The accounts' acceptances, the next to end first; with `also_ended` those too that expired or were withdrawn."""
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(
            f"""SELECT * FROM ({_DEVIATIONS}) d WHERE account = ANY(:accounts) AND (is_active OR :also_ended)
                ORDER BY expires_at, deviation_id""",
            accounts=list(accounts),
            also_ended=also_ended,
        )
        return [Deviation(**row._mapping) for row in rows]


def is_accepted(database: Database, account: str, check: str) -> bool:
    """Whether everything that the check says of the account is accepted now."""
    with database.transaction(timeout_seconds=60) as tx:
        found = tx.run(
            f"SELECT EXISTS (SELECT FROM {ACTIVE} AND d.emag_offer_id IS NULL)", account=account, check=check
        )
        return bool(found.scalar_one())


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
    unknown = tx.run(
        """SELECT offer FROM unnest(CAST(:offers AS bigint[])) AS wanted (offer)
           WHERE NOT EXISTS (SELECT FROM emag_product_offers o
                             WHERE o.account_type = :account AND o.emag_offer_id = offer AND o.deleted_at IS NULL)""",
        account=account,
        offers=list(offers),
    ).scalars()
    if missing := ", ".join(map(str, unknown)):
        raise SettingsError(
            f"the account has no offer {missing}", where=account, remedy="Take the ids from the check's table in the UI"
        )
