"""The accounts: how old their offers are, failing checks, incidents, and what the marketplace answers now."""

from collections.abc import Iterator
from contextlib import closing

from emag_pipeline.admin.doctor import databases
from emag_pipeline.admin.doctor.finding import Finding, Verdict, broken, not_examined, of_error, ok, warning
from emag_pipeline.errors import ApiUnavailable, PipelineError, RateLimited, Rerun, rerun_after
from emag_pipeline.local import ports
from emag_pipeline.local.words import ended_words, left_words, slow_words, trouble_words, unstarted_words
from emag_pipeline.marketplace import MarketplaceClient, ResponseHeaders, Timeouts
from emag_pipeline.model import RequestRecord
from emag_pipeline.monitoring.health import sync_troubles
from emag_pipeline.monitoring.incidents import is_reported_by, unresolved_incidents
from emag_pipeline.review.deviations import is_accepted
from emag_pipeline.settings import Settings
from emag_pipeline.settings.accounts import Account
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import check_results
from emag_pipeline.sync import remembered, request_log
from emag_pipeline.sync.account_health import bound_words, is_stale, published_words
from emag_pipeline.sync.accounts import left_accounts, of_another_host
from emag_pipeline.sync.ledger import SyncStatus
from emag_pipeline.sync.plan import allowed_seconds, bounded, readings_due, scan_seconds, usual
from emag_pipeline.sync.rate_budget import DatabaseBudget, Slowness, slowness
from emag_pipeline.sync.status import NEVER_SYNCED, AccountStatus, account_statuses
from emag_pipeline.sync.surprises import review_answers
from emag_pipeline.wording import age, counted, minute

CHECKS = "checks"
INCIDENTS = "incidents"
_CHECK = "answers_are_as_known"
_REPORT = (
    "`emag-pipeline rejects` lists offers whose price, currency, stock or status is affected: they are not saleable "
    "until it can be read. Report the file of `emag-pipeline probe --account {account}` so that support can be added, "
    f"or accept it for a time with `emag-pipeline accept {_CHECK} --account {{account}} --reason … --until …`"
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
                approved = f"Nothing to do; to publish now, run `emag-pipeline sync --account {status.account}`"
                what = "the refused scan is approved; the next run publishes it"
                yield Finding(f"account {status.account}", Verdict.OK, what, approved)
            elif status.last_error is not None:
                yield _last_error(status)
        for account in settings.accounts:
            if other := of_another_host(database, account):
                yield of_error(f"account {account.name}", other)
        for name in left_accounts(database, [account.name for account in settings.accounts]):
            yield ok(f"account {name}", left_words(name))


def answers(settings: Settings) -> Iterator[Finding]:
    """A finding for each account whose responses held something this version does not know; it breaks nothing."""
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
    """A finding for each check that fails."""
    with databases.opened(settings) as database:
        answered = check_results(database, settings.subjects)
    failing = [result for result in answered if not result.passed]
    names = {account.name for account in settings.accounts}
    for result in failing:
        # `answers` and `accounts` report these, as of now
        if result.check not in (_CHECK, "offers_are_fresh") or result.subject not in names:
            yield warning(CHECKS, f"{result.name} fails: {result.sentence}", result.remedy.rstrip("."))
    if not failing:
        yield ok(CHECKS, f"all {len(answered):,} checks pass" if answered else "no check has run yet")


def incidents(settings: Settings) -> Iterator[Finding]:
    """A finding for each incident that is not resolved."""
    with databases.opened(settings) as database:
        names = [account.name for account in settings.accounts]
        statuses = account_statuses(database, names)
        found = unresolved_incidents(database, statuses, settings)
    # the others are reported by `accounts`
    unreported = [one for one in found if not any(is_reported_by(one, status) for status in statuses)]
    for one in unreported:
        what = f"{one.subject} has been {one.kind} since {minute(one.opened_at)}: {_without(one.subject, one.message)}"
        yield broken(INCIDENTS, what, one.remedy)
    if not unreported:
        yield ok(INCIDENTS, "no other incident is open" if found else "no incident is open")


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
            "Fix the other findings, the daemon first; then it is refreshed",
        )
    return ok(subject, published)


def _without(subject: str, message: str) -> str:
    """A message without the subject, which the finding names already."""
    return message.removeprefix(f"{subject}: ").removeprefix(f"{subject}, ")


def _last_error(status: AccountStatus) -> Finding:
    error = status.last_error
    assert error is not None, "asked only where there is one"  # noqa: S101
    words = "the newest " + ended_words(status.account, error.sync_id, SyncStatus(status.state), error.message)
    verdict = Verdict.BROKEN if rerun_after(error.error_class) is Rerun.NEVER else Verdict.WARNING
    return Finding(f"account {status.account}", verdict, words, error.remedy)


# One cheap call per account, within the shared rate budget, and what follows from the response.

MARKETPLACE = "marketplace"
_IF_SILENT = "check this machine's network (proxy, firewall) and the marketplace's status"
_SANDBOX_IF_SILENT = "restart `emag-pipeline up`, or the sandbox if it was started separately"

_TIMEOUTS = Timeouts(connect_seconds=3, read_seconds=5, total_seconds=6)
#: Of EMAG_SYNC_MAX_PAGES; a fuller catalogue may outgrow it within a week.
_NEARLY_ALL = 0.9


def if_silent(settings: Settings) -> str:
    """What to do if there was no answer."""
    return _SANDBOX_IF_SILENT if settings.starts_sandbox else _IF_SILENT


def marketplace(settings: Settings, account: Account) -> Iterator[Finding]:
    """Does the marketplace answer and accept the credentials and this machine? Does the catalogue fit the page limit?

    The call is recorded in the request log like any other: the marketplace requires that.
    """
    subject = f"account {account.name}"
    with databases.opened(settings) as database:
        budget = _budget(database, settings)
        if budget.is_quiet(account.login):
            what = "the marketplace has answered 429 and asked callers to wait, so it was not called"
            yield warning(subject, what, "Run `emag-pipeline doctor` again in two minutes")
            return
        if lost := budget.lost_seconds(account.login):
            what = f"its next call was scheduled {age(lost)} ahead before the database's clock was set back"
            yield warning(subject, what, "Nothing to do: calls no longer wait for that")
        slow = slowness(database, account.name, account.login, settings.page_size)
        for what, remedy in slow_words(settings, slow):
            yield warning(subject, what, remedy)
        calls: list[RequestRecord] = []
        with closing(MarketplaceClient(account, budget, record=calls.append, timeouts=_TIMEOUTS, attempts=1)) as client:
            try:
                offers = client.count().rows
            except PipelineError as error:
                yield _failed(settings, subject, error)
                offers = None
            finally:
                request_log.save(database, calls)
            headers = client.response_headers
        if offers is not None:
            yield ok(
                subject,
                f"{account.base_url} answers in {calls[0].seconds:.2f} s: {counted(offers, 'offer')}{_left(headers)}",
            )
            yield _bound(settings, subject, account, offers)
            pace = budget.pace_seconds * slow.air
            yield _time(settings, subject, offers, pace, slow, ignores_odd_sizes=_ignores_odd_sizes(database, account))
        if headers is not None and headers.dated is not None:
            yield databases.marketplace_clock(account.name, headers.dated)


def _failed(settings: Settings, subject: str, error: PipelineError) -> Finding:
    """A call has a few seconds here and more in a sync: one that took too long here proves nothing."""
    if isinstance(error, ApiUnavailable) and error.is_late:
        stopped = ports.stopped_sandbox(settings)
        if stopped is not None:
            again = f"{stopped.how_to_resume}; then run `emag-pipeline doctor` again"
            return Finding(subject, Verdict.NOT_EXAMINED, f"{error.what}: {stopped.words}", again)
        return not_examined(subject, error.what, if_silent(settings))
    return of_error(subject, error, Verdict.WARNING if isinstance(error, RateLimited) else Verdict.BROKEN)


def _budget(database: Database, settings: Settings) -> DatabaseBudget:
    return DatabaseBudget(database, settings.requests_per_second, settings.requests_per_minute, settings.rate_share)


def _left(headers: ResponseHeaders | None) -> str:
    if headers is None or headers.limit is None or headers.remaining is None:
        return ""
    return f", {headers.remaining} of {headers.limit} calls left in this period"


def _bound(settings: Settings, subject: str, account: Account, offers: int) -> Finding:
    try:
        pages = bounded(account.name, offers, settings.max_pages)
    except PipelineError as error:
        return of_error(subject, error)
    bound = f"{pages:,} of {settings.max_pages:,} pages (EMAG_SYNC_MAX_PAGES)"
    if pages > settings.max_pages * _NEARLY_ALL:
        return warning(subject, f"the catalogue has almost reached its limit: {bound}", f"Raise it to {pages * 2:,}")
    return ok(subject, f"the catalogue has {bound}")


def _ignores_odd_sizes(database: Database, account: Account) -> bool:
    try:
        return remembered.habits(database, account.name).ignores_odd_sizes
    except PipelineError:
        return False  # errors of the database are reported elsewhere


def _time(
    settings: Settings, subject: str, offers: int, pace_seconds: float, slow: Slowness, *, ignores_odd_sizes: bool
) -> Finding:
    size = slow.page_size or settings.page_size
    size = usual(size) if ignores_odd_sizes else size
    readings = readings_due(size, ignores_odd_sizes=ignores_odd_sizes)
    seconds = scan_seconds(offers, size, pace_seconds, readings)
    allowed = age(allowed_seconds(settings.timeout_hours, seconds))
    twice = ", because all pages are read twice" if readings > 1 else ""
    rate = "current" if slow.page_size or slow.slowed_at else "allowed"
    return ok(subject, f"a sync takes {age(seconds)} at the {rate} rate{twice}; the limit is {allowed}")
