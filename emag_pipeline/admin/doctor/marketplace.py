"""One cheap call an account, within the rate budget that all processes share; and what follows from its answer."""

from collections.abc import Iterator
from contextlib import closing

from emag_pipeline.admin.doctor import clocks, databases
from emag_pipeline.admin.doctor.finding import Finding, Verdict, not_examined, of_error, ok, warning
from emag_pipeline.errors import ApiUnavailable, PipelineError, RateLimited
from emag_pipeline.local import ports
from emag_pipeline.local.words import slow_words
from emag_pipeline.marketplace import MarketplaceClient, ResponseHeaders, Timeouts
from emag_pipeline.model import RequestRecord
from emag_pipeline.settings import Settings
from emag_pipeline.settings.accounts import Account
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import remembered, request_log
from emag_pipeline.sync.plan import allowed_seconds, bounded, readings_due, scan_seconds, usual
from emag_pipeline.sync.rate_budget import DatabaseBudget, Slowness, slowness
from emag_pipeline.wording import age, counted

SUBJECT = "marketplace"
_IF_SILENT = "look at this machine's network (proxy, firewall) and at the marketplace's status"
_SANDBOX_IF_SILENT = "restart `emag-pipeline up`, or the sandbox where it was started by itself"

_TIMEOUTS = Timeouts(connect_seconds=3, read_seconds=5, total_seconds=6)
#: of EMAG_SYNC_MAX_PAGES; more needs room for next week's growth
_NEARLY_ALL = 0.9


def if_silent(settings: Settings) -> str:
    """What to do where there was no answer."""
    return _SANDBOX_IF_SILENT if settings.starts_sandbox else _IF_SILENT


def examine(settings: Settings, account: Account) -> Iterator[Finding]:
    """Does it answer, and does it accept the credentials and this machine? Is there room for the catalogue?

    The call is kept in the request log like any other: the vendor asks for that.
    """
    subject = f"account {account.name}"
    with databases.opened(settings) as database:
        budget = _budget(database, settings)
        if budget.is_quiet(account.login):
            what = "the marketplace has asked to be left alone for a moment (429), so it was not called"
            yield warning(subject, what, "Run `emag-pipeline doctor` again in two minutes")
            return
        if lost := budget.lost_seconds(account.login):
            what = f"its next call was put off for {age(lost)}, before the database's clock was set back"
            yield warning(subject, what, "Nothing is to be done: no call waits for that any more")
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
            yield clocks.of_marketplace(account.name, headers.dated)


def _failed(settings: Settings, subject: str, error: PipelineError) -> Finding:
    """The call has a few seconds here, a sync's has more: one that took too long may be well all the same."""
    if isinstance(error, ApiUnavailable) and error.is_late:
        stopped = ports.stopped_sandbox(settings)
        if stopped is not None:
            again = f"{stopped.let_go_on}; then run `emag-pipeline doctor` again"
            return Finding(subject, Verdict.NOT_EXAMINED, f"{error.what}: {stopped.words}", again)
        return not_examined(subject, error.what, if_silent(settings))
    return of_error(subject, error, Verdict.WARNING if isinstance(error, RateLimited) else Verdict.BROKEN)


def _budget(database: Database, settings: Settings) -> DatabaseBudget:
    return DatabaseBudget(database, settings.requests_per_second, settings.requests_per_minute, settings.rate_share)


def _left(headers: ResponseHeaders | None) -> str:
    if headers is None or headers.limit is None or headers.remaining is None:
        return ""
    return f", {headers.remaining} of {headers.limit} calls left at the moment"


def _bound(settings: Settings, subject: str, account: Account, offers: int) -> Finding:
    try:
        pages = bounded(account.name, offers, settings.max_pages)
    except PipelineError as error:
        return of_error(subject, error)
    bound = f"{pages:,} of {settings.max_pages:,} pages (EMAG_SYNC_MAX_PAGES)"
    if pages > settings.max_pages * _NEARLY_ALL:
        return warning(subject, f"the catalogue nearly fills its bound: {bound}", f"Raise it to {pages * 2:,}")
    return ok(subject, f"the catalogue has {bound}")


def _ignores_odd_sizes(database: Database, account: Account) -> bool:
    try:
        return remembered.habits(database, account.name).ignores_odd_sizes
    except PipelineError:
        return False  # what is wrong with the database is said elsewhere


def _time(
    settings: Settings, subject: str, offers: int, pace_seconds: float, slow: Slowness, *, ignores_odd_sizes: bool
) -> Finding:
    size = slow.page_size or settings.page_size
    size = usual(size) if ignores_odd_sizes else size
    readings = readings_due(size, ignores_odd_sizes=ignores_odd_sizes)
    seconds = scan_seconds(offers, size, pace_seconds, readings)
    allowed = age(allowed_seconds(settings.timeout_hours, seconds))
    twice = ", since all pages are read twice" if readings > 1 else ""
    rate = "present" if slow.page_size or slow.slowed_at else "allowed"
    return ok(subject, f"a sync takes {age(seconds)} at the {rate} rate{twice}, and may take {allowed}")
