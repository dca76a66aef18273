"""Numbers and states in words, for people."""

from pathlib import Path

from emag_pipeline.db.status import SyncProgress
from emag_pipeline.marketplaces import SANDBOX
from emag_pipeline.monitoring.durations import age
from emag_pipeline.settings import Settings


def progress_words(sync: SyncProgress) -> str:
    """How far a sync is, e.g. `scanning, 5 of 12 pages, 500 of 1,200 offers`.

    Also what keeps it waiting, and what follows its publish.
    """
    if sync.status == "completed":
        return "published, its marts and checks are being computed"
    met = f"; {sync.obstacle}" if sync.obstacle else ""
    if sync.pages_expected is None:
        return sync.phase + met
    offers = f"{sync.offers_done:,} of {sync.offers_expected or 0:,} offers"
    again = f", reading {sync.round}" if sync.round > 1 else ""
    return f"{sync.phase}{again}, {sync.pages_done} of {sync.pages_expected} pages, {offers}{met}"


def pace_words(sync: SyncProgress) -> str:
    """How fast a scan is and how long it will take, e.g. `290 offers/s, 3 seconds left`; empty before that is known.

    Of a resumed scan it is not known how many offers this attempt has read; nor of a later reading, when it began.
    """
    is_first = sync.attempt == sync.round == 1
    if (
        sync.status != "running"
        or sync.phase != "scanning"
        or not (is_first and sync.offers_done and sync.elapsed_seconds)
    ):
        return ""
    rate = sync.offers_done / sync.elapsed_seconds
    left = max(0, (sync.offers_expected or 0) - sync.offers_done) / rate
    return f"{rate:,.0f} offers/s, {age(left)} left"


def outcome_words(account: str, said: str, sync: SyncProgress | None) -> str:
    """How a refresh ended; `said` is what went wrong, empty if nothing."""
    if said or sync is None:
        return said or f"{account}: nothing was done"
    numbers = {
        "created": sync.offers_created,
        "updated": sync.offers_updated,
        "unchanged": sync.offers_unchanged,
        "deleted": sync.offers_deleted,
        "quarantined": sync.offers_rejected,
    }
    counted = ", ".join(f"{number:,} {name}" for name, number in numbers.items())
    return f"{account}: published in {sync.elapsed_seconds:.1f} s: {counted}"


def failure_words(message: str, remedy: str, account: str = "") -> str:
    """What is wrong and what to do, in one line.

    An `account` that is said already is not said again at the beginning.
    """
    if not message:
        return remedy or "no reason was noted"
    if account:
        message = message.removeprefix(f"{account}: ").removeprefix(f"{account}, ")
    return f"{message.rstrip('.')}. {remedy.rstrip('.')}." if remedy else f"{message.rstrip('.')}."


def source_words(settings: Settings) -> str:
    """Where the settings come from."""
    if settings.env_file is None:
        return f"settings: the environment alone, there is no .env in {Path.cwd()}"
    return f"settings: {settings.env_file}, and the environment, which wins"


def invented_words(settings: Settings) -> str:
    """Which accounts show invented offers; empty when none does."""
    invented = [account.name for account in settings.accounts if account.marketplace.name == SANDBOX.name]
    return f"{', '.join(invented)}: SANDBOX, all offers are invented" if invented else ""
