"""What the database says of the work itself: how old each account's offers are, and what is wrong until it is well."""

from collections.abc import Iterator
from math import inf

from emag_pipeline.admin.doctor import databases
from emag_pipeline.admin.doctor.finding import Finding, Verdict, broken, ok, warning
from emag_pipeline.errors import Rerun, rerun_after
from emag_pipeline.local.words import ended_words, left_words, trouble_words, unstarted_words
from emag_pipeline.monitoring.health import sync_troubles
from emag_pipeline.monitoring.incidents import is_told_by, open_incidents
from emag_pipeline.monitoring.silence import bound_seconds, has_just_started, in_words, silent_sensors
from emag_pipeline.review.deviations import is_accepted
from emag_pipeline.settings import Settings
from emag_pipeline.store.check_results import check_results
from emag_pipeline.sync.account_health import bound_words, is_stale, published_words
from emag_pipeline.sync.accounts import left_accounts
from emag_pipeline.sync.ledger import SyncStatus
from emag_pipeline.sync.status import NEVER_SYNCED, AccountStatus, account_statuses
from emag_pipeline.sync.surprises import review_answers
from emag_pipeline.wording import age

CHECKS = "checks"
INCIDENTS = "incidents"
SENSORS = "sensors"
_CHECK = "answers_are_as_known"
_REPORT = (
    "`emag-pipeline rejects` lists offers whose price, currency, stock or status is among them: they are not for sale "
    "until it can be read. Report the file of `emag-pipeline probe --account {account}`, so that the pipeline learns "
    f"it, or accept it for a time with `emag-pipeline accept {_CHECK} --account {{account}} --reason … --until …`"
)


def accounts(settings: Settings) -> Iterator[Finding]:
    """A finding for each account's last publish, and for what kept its newest sync from publishing."""
    with databases.opened(settings) as database:
        troubles = sync_troubles(database, settings)
        for status in account_statuses(database, [account.name for account in settings.accounts]):
            yield _age(settings, status)
            if status.account in troubles:
                words = trouble_words(troubles[status.account], status.account, status.running)
                yield warning(f"account {status.account}", *words)
            if status.awaits_publish:
                approved = f"Nothing is to be done; or now `emag-pipeline sync --account {status.account}`"
                what = "the refused scan is approved, and the next run publishes it"
                yield Finding(f"account {status.account}", Verdict.OK, what, approved)
            elif status.last_error is not None:
                yield _last_error(status)
        for name in left_accounts(database, [account.name for account in settings.accounts]):
            yield ok(f"account {name}", left_words(name))


def answers(settings: Settings) -> Iterator[Finding]:
    """A finding for each account whose answers held what this version does not know; none breaks anything."""
    with databases.opened(settings) as database:
        for account in settings.accounts:
            subject, found = f"account {account.name}", review_answers(database, account.name)
            if not found.fields:
                yield ok(subject, found.sentence)
            elif is_accepted(database, account.name, _CHECK):
                yield ok(subject, f"{found.sentence}; accepted")
            else:
                yield warning(subject, found.sentence, _REPORT.format(account=account.name))


def checks(settings: Settings) -> Iterator[Finding]:
    """A finding for each check that does not pass; one of severity ERROR is an incident, and told there."""
    with databases.opened(settings) as database:
        answered = check_results(database, settings.subjects)
    failing = [result for result in answered if not result.passed]
    names = {account.name for account in settings.accounts}
    for result in failing:
        # `answers` and `accounts` tell of these, at this very moment
        if result.check not in (_CHECK, "offers_are_fresh") or result.subject not in names:
            yield warning(CHECKS, f"{result.name} does not pass: {result.sentence}", result.remedy.rstrip("."))
    if not failing:
        yield ok(CHECKS, f"{len(answered):,} have answered, and every one passes" if answered else "none was asked yet")


def incidents(settings: Settings) -> Iterator[Finding]:
    """A finding for each open incident."""
    with databases.opened(settings) as database:
        names = [account.name for account in settings.accounts]
        statuses = account_statuses(database, names)
        found = open_incidents(database)
    # of these, `accounts` tells
    standing = [one for one in found if not any(is_told_by(one, status) for status in statuses)]
    for one in standing:
        since = one.opened_at.astimezone().isoformat(sep=" ", timespec="minutes")
        what = f"{one.subject} is {one.kind} since {since}: {_without(one.subject, one.message)}"
        yield broken(INCIDENTS, what, one.remedy)
    if not standing:
        yield ok(INCIDENTS, "no other is open" if found else "none is open")


def sensors(settings: Settings) -> Iterator[Finding]:
    """A finding for each sensor that is silent: switched off or failing at each look.

    One if all are, as without a daemon.
    """
    with databases.opened(settings) as database:
        silent = silent_sensors(database, settings)
    if silent and has_just_started(settings):
        yield ok(SENSORS, f"`up` has just started; each has {age(bound_seconds(settings))} for its first look")
        return
    for found in in_words(silent, settings):
        told = warning if found.seconds == inf else broken
        yield told(SENSORS, found.said, found.remedy)
    if not silent:
        yield ok(SENSORS, "every sensor has looked lately")


def _age(settings: Settings, status: AccountStatus) -> Finding:
    subject = f"account {status.account}"
    running = f", a sync is {status.running.phase}" if status.running else ""
    if status.age_seconds is None and status.running is not None:
        return ok(subject, f"was never published{running}")
    if status.age_seconds is None:
        what = status.state if status.state == NEVER_SYNCED else "was never published"
        return warning(subject, what, unstarted_words(settings, status.account))
    published = f"{published_words(status)}{running}"
    if is_stale(status, settings):
        return broken(
            subject,
            f"stale: {published}, {bound_words(status, settings)}",
            "Mend what else is said here, the daemon first; then it is refreshed",
        )
    return ok(subject, published)


def _without(subject: str, message: str) -> str:
    """A message whose subject is said already."""
    return message.removeprefix(f"{subject}: ").removeprefix(f"{subject}, ")


def _last_error(status: AccountStatus) -> Finding:
    error = status.last_error
    assert error is not None, "asked only where there is one"  # noqa: S101
    words = "the newest " + ended_words(status.account, error.sync_id, SyncStatus(status.state), error.message)
    verdict = Verdict.BROKEN if rerun_after(error.error_class) is Rerun.NEVER else Verdict.WARNING
    return Finding(f"account {status.account}", verdict, words, error.remedy)
