"""Descriptions of syncs, accounts and settings for people."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from signal import Signals

from emag_pipeline import running_up
from emag_pipeline.settings import Settings
from emag_pipeline.settings.accounts import SANDBOX, SANDBOX_ACCOUNTS
from emag_pipeline.sync.ledger import SyncPhase, SyncStatus
from emag_pipeline.sync.liveness import Condition, Trouble
from emag_pipeline.sync.rate_budget import Slowness
from emag_pipeline.sync.status import SyncProgress
from emag_pipeline.wording import age, counted, goes_on, minute


def progress_words(sync: SyncProgress) -> str:
    """The progress of a sync, e.g. `scanning, 5 of 12 pages, 500 of 1,200 offers`.

    Includes what it is waiting for, and the steps after its publish.
    """
    if sync.status is SyncStatus.COMPLETED:
        return "published, its marts and checks are being computed"
    met = f"; {sync.obstacle}" if sync.obstacle else ""
    if sync.pages_expected is None:
        return sync.phase + met
    pages = f"{sync.pages_done:,} of {counted(pages_in_all(sync), 'page')}"
    offers = f"{sync.offers_done:,} of {counted(sync.offers_expected or 0, 'offer')}"
    if sync.offers_done > (sync.offers_expected or 0):
        before = counted(sync.offers_expected or 0, "was", "were")
        offers = f"{counted(sync.offers_done, 'offer')} ({before} counted before)"
    again = f", reading {sync.round}" if sync.round > 1 else ""
    by_id = f", {counted(sync.asked_by_id, 'missing offer')} looked up by id" if sync.asked_by_id else ""
    return f"{sync.phase}{again}, {pages}, {offers}{by_id}{met}"


def pages_in_all(sync: SyncProgress) -> int:
    """How many pages there are to read: those of the count, or more if the listing has grown since."""
    return max(sync.pages_expected or 0, sync.pages_done)


def pace_words(sync: SyncProgress) -> str:
    """Speed and remaining time of a scan, e.g. `290 offers/s, 3 seconds left`; empty if unknown.

    It is unknown for a resumed scan (how many offers this attempt has read) and for a later reading (when it began).
    """
    is_first = sync.attempt == sync.round == 1
    if (
        sync.status is not SyncStatus.RUNNING
        or sync.phase is not SyncPhase.SCANNING
        or not (is_first and sync.offers_done and sync.elapsed_seconds)
    ):
        return ""
    rate = sync.offers_done / sync.elapsed_seconds
    left = max(0, (sync.offers_expected or 0) - sync.offers_done) / rate
    return f"{rate:,.0f} offers/s, {age(left)} left"


#: Pages as old as this are mentioned.
_OLD_PAGES_SECONDS = 120.0


def outcome_words(account: str, said: str, sync: SyncProgress | None) -> str:
    """How a refresh ended; `said` is the error, empty on success."""
    if said or sync is None:
        return said or f"{account}: nothing was done"
    numbers = {
        "created": sync.offers_created,
        "updated": sync.offers_updated,
        "unchanged": sync.offers_unchanged,
        "deleted": sync.offers_deleted,
        "rows in quarantine": sync.offers_rejected,
    }
    changes = ", ".join(f"{number:,} {name}" for name, number in numbers.items())
    read, seconds = "", sync.oldest_page_seconds or 0.0
    if seconds >= _OLD_PAGES_SECONDS:
        read = f"; its oldest page was read {age(seconds)} ago, and what has changed since follows with the next sync"
    took = f"{sync.elapsed_seconds:.1f} s"
    if sync.attempt > 1 and sync.completed_at is not None:
        since = (sync.completed_at - sync.started_at).total_seconds()
        took += f" by attempt {sync.attempt}, {since:,.1f} s after the sync began"
    return f"{account}: published in {took}: {changes}{read}"


def failure_words(message: str, remedy: str, account: str = "") -> str:
    """The problem and the remedy in one line.

    `account`: a name that is shown already, and is removed from the beginning.
    """
    if not message:
        return remedy or "no reason was recorded"
    if account:
        message = message.removeprefix(f"{account}: ").removeprefix(f"{account}, ")
    return f"{message.rstrip('.')}. {remedy.rstrip('.')}." if remedy else f"{message.rstrip('.')}."


#: The daemon loads the pipeline before the first tick of its sensors.
_FIRST_TICK_SECONDS = 60.0
#: How a sync ended, used after `the newest sync`.
ENDS = {
    SyncStatus.FAILED: "failed",
    SyncStatus.TIMEOUT: "ran out of time",
    SyncStatus.CANCELLED: "was cancelled",
}


def killed_words(number: int) -> str:
    """The end of a process that was killed by a signal, and who may have sent it."""
    name = Signals(number).name if number in set(Signals) else "a signal"
    who = ": by a person, or by the system because memory ran out" if name == "SIGKILL" else ""
    return f"was killed by signal {number} ({name}{who})"


def ended_words(account: str, sync_id: object, status: SyncStatus, message: str) -> str:
    """How and why a sync ended without a publish, e.g. `sync was cancelled: interrupted: it was told to stop`."""
    for said in (f"{account}, sync {sync_id}: ", f"{account}: ", f"{account}, "):
        message = message.removeprefix(said)
    return f"sync {ENDS[status]}: {message.rstrip('.') or 'no reason was recorded'}"


def slow_words(settings: Settings, found: Slowness) -> list[tuple[str, str]]:
    """What makes an account's syncs slower than the settings allow, and how it ends; empty if nothing does."""
    said = []
    if found.page_size is not None and found.page_size_since is not None:
        since, again = found.page_size_since, found.page_size_since + timedelta(days=1)
        what = f"pages of {found.page_size} offers have been read since {minute(since)} because larger ones failed"
        when = f"after {minute(again)}" if again > datetime.now(UTC) else "by the next sync"
        said.append((what, f"No action needed: larger ones are tried again {when}"))
    if found.slowed_at is not None:
        rate = 1 / (settings.pace_seconds * found.air)
        what = f"calls are slowed to {rate:.1f} per second since an HTTP 429 at {minute(found.slowed_at)}"
        back = "No action needed: every ten minutes without another one restore a tenth of the rate"
        said.append((what, f"{back}; if they come again and again, set EMAG_SYNC_RATE_SHARE"))
    return said


def left_words(account: str) -> str:
    """The remark on an account that is no longer in the settings."""
    return f"is no longer configured here: its offers stay as they are until `emag-pipeline forget {account} --yes`"


def unstarted_words(settings: Settings, account: str) -> str:
    """What starts the first sync of an account that never had one."""
    up = running_up.running(settings.home)
    if up is None:
        return f"Run `emag-pipeline sync --account {account}`, or `emag-pipeline up`"
    if not up.knows(account):
        return f"Restart `emag-pipeline up` (process {up.pid}): it was started before this account was configured"
    within = age(max(settings.monitor_interval_seconds, _FIRST_TICK_SECONDS))
    begins = f"No action needed: `emag-pipeline up` (process {up.pid}) starts its first sync within {within}"
    return f"{begins}; if not, `emag-pipeline doctor` says why"


def trouble_words(trouble: Trouble, account: str, sync: SyncProgress | None) -> tuple[str, str]:
    """Problem and remedy of a sync that is recorded as running but makes no progress."""
    again = f"`emag-pipeline sync --account {account}` {goes_on(sync.pages_left if sync else None)}"
    if trouble.condition is Condition.STUCK:  # it has a heartbeat, so another sync is refused
        again = f"`emag-pipeline recover` ends it, then {again}"
    return f"its sync is {trouble.condition}: {trouble.why}", f"{again}; a running daemon does that automatically"


def unknown_accounts(settings: Settings) -> Iterator[tuple[str, str]]:
    """Problem and remedy of each account that uses the sandbox only because EMAG_ACCOUNTS names it."""
    if not settings.uses_sandbox:
        return
    for name in [account.name for account in settings.accounts if account.name not in SANDBOX_ACCOUNTS]:
        near = next(iter(get_close_matches(name, SANDBOX_ACCOUNTS, n=1)), "")
        what = f"EMAG_ACCOUNTS names {name}, which has no credentials and is not one of the sandbox's own accounts"
        credentials = " and ".join(f"EMAG_{name.upper()}_API_{part}" for part in ("USERNAME", "PASSWORD"))
        known = f"perhaps {near} is meant" if near else f"those are {' and '.join(SANDBOX_ACCOUNTS)}"
        remedy = f"Correct EMAG_ACCOUNTS ({known}), or set {credentials}; until then its offers are invented"
        yield what, remedy


def source_words(settings: Settings) -> str:
    """Where the settings come from."""
    if settings.env_file is None:
        return f"settings: the environment only, there is no .env in {Path.cwd()}"
    return f"settings: {settings.env_file}, and the environment, which takes precedence"


def invented_words(settings: Settings) -> str:
    """Which accounts show invented offers; empty when none does."""
    invented = [account.name for account in settings.accounts if account.marketplace.name == SANDBOX.name]
    return f"{', '.join(invented)}: SANDBOX, all offers are invented" if invented else ""
