"""One offer by its id, or in one sentence why there is none."""

from datetime import datetime

from emag_pipeline.db.engine import Database
from emag_pipeline.db.history import KnownOffer, known_offer, newest_rejection
from emag_pipeline.db.status import account_statuses
from emag_pipeline.errors import SettingsError
from emag_pipeline.operations.figures import one_line


def found(database: Database, account: str, offer_id: int) -> KnownOffer:
    """The offer. Raises SettingsError when it was never published, saying what is known instead."""
    offer = known_offer(database, account, offer_id)
    if offer is not None:
        return offer
    where = f"{account}, offer {offer_id}"
    rejected = newest_rejection(database, account, offer_id)
    if rejected is not None:
        raise SettingsError(
            "it was never published",
            where=where,
            why=f"its reading of {at(rejected.rejected_at)} is in quarantine: {rejected.reason}",
            remedy=f"Correct it in the marketplace; `emag-pipeline rejects --account {account}` lists what waits there",
        )
    (status,) = account_statuses(database, [account], sees_staging=False)
    if status.last_publish_at is None:
        raise SettingsError(
            "nothing is known of it",
            where=where,
            why="the account was never published",
            remedy=f"Run `emag-pipeline sync --account {account}`",
        )
    raise SettingsError(
        "there is no such offer",
        where=where,
        why=f"no reading up to the publish of {at(status.last_publish_at)} showed it",
        remedy="Check the account and the id: it is the seller's own, emag_offer_id in the tables",
    )


def title(offer: KnownOffer) -> str:
    """The offer's place and name in one line."""
    return f"{offer.account}, offer {offer.emag_offer_id}: {one_line(offer.name or 'without a name')}"


def since(moment: datetime, known_since: datetime) -> str:
    """Since when, in words: of what the first publish showed it is not known how long it has been so before."""
    return f"{'at least ' if moment <= known_since else ''}since {at(moment)}"


def at(moment: datetime) -> str:
    """A moment (UTC) for people, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
