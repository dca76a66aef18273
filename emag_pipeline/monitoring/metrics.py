"""The content of a scrape: the database's figures as Prometheus metrics, and whether they could be read at all."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from typing import NamedTuple

from prometheus_client import metrics_core as core
from prometheus_client.registry import Collector

from emag_pipeline.errors import PipelineError
from emag_pipeline.monitoring import metric_list, silence
from emag_pipeline.monitoring.metric_list import OTHER, SCAN_RESOURCES, Metric
from emag_pipeline.settings import Settings
from emag_pipeline.store import monitoring_tables as counters
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync.account_health import bound_seconds
from emag_pipeline.sync.accounts import LEFT_ACCOUNTS
from emag_pipeline.sync.ledger import SyncStatus
from emag_pipeline.sync.request_log import LATENCY_BUCKETS
from emag_pipeline.sync.surprises import KINDS, RECENT

_SQL = statements("monitoring/metrics.sql")


@dataclass(frozen=True, slots=True)
class Counter:
    """One stored counter; `labels` are those that it was increased with."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class AccountGauges:
    """The current state of one account. Ages are in seconds, 0 while nothing runs; None means not known yet.

    `status`, pages and `error_class` are those of the account's newest sync. `slots` are the calls that the rate
    budget granted in the last minute.
    """

    account: str
    status: SyncStatus | None
    error_class: str | None
    pages_expected: int | None
    pages_done: int
    progress_age: float
    heartbeat_age: float
    last_success: float | None
    oldest_page: float | None
    scan_seconds: float | None
    offers_processed: float
    saleable: int
    not_saleable: int
    deleted: int
    quarantined: int
    slots: float


@dataclass(frozen=True, slots=True)
class MonitoringFigures:
    """All figures of one scrape. `open_incidents` counts by kind, `revision` is the schema's.

    `surprises` counts the unexpected fields by account and kind; it has no entry for zero.
    """

    revision: str
    counters: Sequence[Counter]
    accounts: Sequence[AccountGauges]
    sensor_ages: Mapping[str, float]
    open_incidents: Mapping[str, float]
    surprises: Mapping[tuple[str, str], float]
    #: by subject and check: 0 passes, 1 warns, 2 fails
    checks: Mapping[tuple[str, str], float]
    #: accounts whose offers are kept although they are no longer configured
    left: Sequence[str]


def read(
    database: Database, accounts: Mapping[str, str], marketplaces: Sequence[str], timeout_seconds: float
) -> MonitoringFigures:
    """Read everything in one transaction; no statement may take longer than `timeout_seconds`.

    `accounts` are the names with their logins (`Account.login`).

    Raises DatabaseUnavailable, SchemaMismatch or PermanentError, see `store.error_mapping`.
    """
    with database.transaction(timeout_seconds=timeout_seconds) as tx:
        return MonitoringFigures(
            revision=tx.run("SELECT version_num FROM emag_alembic_version").scalar_one(),
            counters=_counters(tx),
            accounts=_accounts(tx, accounts),
            sensor_ages=_by_name(tx, "sensors"),
            open_incidents=_by_name(tx, "incidents"),
            surprises=_count_surprises(tx, list(accounts)),
            checks=_checks(tx, [*accounts, *marketplaces]),
            left=list(tx.run(LEFT_ACCOUNTS, configured=list(accounts)).scalars()),
        )


def _counters(tx: Transaction) -> list[Counter]:
    rows = tx.run(_SQL["counters"])
    return [Counter(row.name, labels, value) for row in rows for labels, value in row.stored]


def _accounts(tx: Transaction, accounts: Mapping[str, str]) -> list[AccountGauges]:
    logins = list(accounts.values())
    rows = tx.run(_SQL["accounts"], accounts=list(accounts), logins=logins, processed=counters.OFFERS_PROCESSED)
    return rows_of(rows, AccountGauges)


def _count_surprises(tx: Transaction, accounts: Sequence[str]) -> dict[tuple[str, str], float]:
    rows = tx.run(f"SELECT a.account, s.kind, count(*) AS fields {RECENT} GROUP BY 1, 2", accounts=list(accounts))
    return {(row.account, row.kind): row.fields for row in rows}


def _checks(tx: Transaction, subjects: Sequence[str]) -> dict[tuple[str, str], float]:
    return {(row.subject, row.check_name): row.value for row in tx.run(_SQL["checks"], subjects=list(subjects))}


def _by_name(tx: Transaction, statement: str) -> dict[str, float]:
    return {row.name: row.value for row in tx.run(_SQL[statement])}


# Stored counters as series: each starts at zero, label values are from a known set.
#
# A counter that appears late hides its first increase from rate(), so all counters of a sync exist from the start for
# every account. An account that was removed from the settings is no longer reported.

Labels = tuple[str, ...]

_BOUNDS = (*map(str, LATENCY_BUCKETS), "+Inf")


class Latencies(NamedTuple):
    """A histogram's series: cumulative `buckets`, from the smallest bound to +Inf."""

    buckets: Sequence[tuple[str, float]]
    sum: float


class StoredCounters:
    """The counters of one scrape, for the configured accounts."""

    def __init__(self, counters: Iterable[Counter], accounts: Sequence[str]) -> None:
        self._accounts = accounts
        self._by_name: dict[str, list[Counter]] = {}
        for counter in counters:
            if "account_type" not in counter.labels or counter.labels["account_type"] in accounts:
                self._by_name.setdefault(counter.name, []).append(counter)

    def values(self, metric: Metric) -> dict[Labels, float]:
        """All series of a counter, by their label values."""
        values = dict.fromkeys(self._from_start(metric), 0.0)
        for counter in self._by_name.get(metric.name, ()):
            labels = self._labels(metric, counter)
            values[labels] = values.get(labels, 0.0) + counter.value
        return values

    def latencies(self, metric: Metric) -> dict[Labels, Latencies]:
        """All series of a histogram, which is stored as `_bucket` (each call in one bucket only) and `_sum`."""
        counts = {labels: dict.fromkeys(_BOUNDS, 0.0) for labels in self._from_start(metric)}
        for counter in self._by_name.get(f"{metric.name}_bucket", ()):
            buckets = counts.setdefault(self._labels(metric, counter), dict.fromkeys(_BOUNDS, 0.0))
            bound = counter.labels.get("le", "")
            buckets[bound if bound in buckets else "+Inf"] += counter.value
        sums = dict.fromkeys(counts, 0.0)
        for counter in self._by_name.get(f"{metric.name}_sum", ()):
            labels = self._labels(metric, counter)
            sums[labels] = sums.get(labels, 0.0) + counter.value
        return {labels: Latencies(_cumulative(buckets), sums[labels]) for labels, buckets in counts.items()}

    def _from_start(self, metric: Metric) -> Iterable[Labels]:
        return product(*(self._usual(metric, label) for label in metric.labels))

    def _usual(self, metric: Metric, label: str) -> Sequence[str]:
        if label == "resource":
            return SCAN_RESOURCES
        return [value for value in self._known(metric, label) if value != OTHER]

    def _labels(self, metric: Metric, counter: Counter) -> Labels:
        given = ((label, counter.labels.get(label, OTHER)) for label in metric.labels)
        return tuple(value if value in self._known(metric, label) else OTHER for label, value in given)

    def _known(self, metric: Metric, label: str) -> Sequence[str]:
        return self._accounts if label == "account_type" else metric.labels[label]


def _cumulative(buckets: Mapping[str, float]) -> list[tuple[str, float]]:
    return list(zip(buckets, accumulate(buckets.values()), strict=True))


_STORED = (
    metric_list.REQUESTS, metric_list.REQUEST_ERRORS, metric_list.STUCK_SYNCS, metric_list.RECOVERED_SYNCS,
    metric_list.ALERTS,
)  # fmt: skip
_RUN_STATUS = {SyncStatus.RUNNING: 1, SyncStatus.COMPLETED: 2, SyncStatus.FAILED: 3, SyncStatus.TIMEOUT: 4}


class PipelineCollector(Collector):
    """Reads everything at each scrape. Without the database it has no figures, but always responds."""

    def __init__(self, settings: Settings, read: Callable[[], MonitoringFigures]) -> None:
        self._settings = settings
        self._read = read

    def describe(self) -> Iterable[core.Metric]:
        """Empty, so that registration does not need the database."""
        return ()

    def collect(self) -> Iterator[core.Metric]:
        """All metrics of metric_list; without the database only the exporter's own two."""
        began = time.monotonic()
        try:
            figures = self._read()
        except PipelineError:
            figures = None
        seconds = time.monotonic() - began
        yield _gauge(metric_list.DATABASE_UP, {(): float(figures is not None)})
        yield _gauge(metric_list.SCRAPE_SECONDS, {(): seconds})
        if figures is not None:
            yield from families(figures, self._settings)


def families(figures: MonitoringFigures, settings: Settings) -> Iterator[core.Metric]:
    """The metrics of the database's figures."""
    stored = StoredCounters(figures.counters, [account.name for account in settings.accounts])
    for metric in _STORED:
        yield _counter(metric, stored.values(metric))
    yield _counter(metric_list.OFFERS_READ, _each(figures, lambda account: account.offers_processed))
    yield _histogram(metric_list.REQUEST_LATENCY, stored)
    yield from _account_gauges(figures, settings)
    yield from _whole(figures, settings)


def _account_gauges(figures: MonitoringFigures, settings: Settings) -> Iterator[core.Metric]:
    values: list[tuple[Metric, Callable[[AccountGauges], float]]] = [
        (metric_list.RUN_STATUS, lambda account: 0 if account.status is None else _RUN_STATUS.get(account.status, 0)),
        (metric_list.LAST_SUCCESS, lambda account: account.last_success or 0),
        (metric_list.OLDEST_PAGE, lambda account: account.oldest_page or 0),
        (metric_list.STALE_BOUND, lambda account: bound_seconds(account.scan_seconds, settings)),
        (metric_list.PAGES_EXPECTED, lambda account: account.pages_expected or 0),
        (metric_list.PAGES_DONE, lambda account: account.pages_done),
        (metric_list.PROGRESS_AGE, lambda account: account.progress_age),
        (metric_list.HEARTBEAT_AGE, lambda account: account.heartbeat_age),
        (metric_list.RATE_BUDGET, lambda account: account.slots * settings.pace_seconds / 60),
        (metric_list.QUARANTINED, lambda account: account.quarantined),
    ]
    for metric, value in values:
        yield _gauge(metric, _each(figures, value))
    yield _gauge(metric_list.OFFERS, dict(pair for account in figures.accounts for pair in _offers(account)))
    yield _gauge(metric_list.ANSWER_SURPRISES, _surprises(figures))
    yield _gauge(metric_list.ACCOUNT_LEFT, {(account,): 1 for account in figures.left})
    yield _gauge(metric_list.CHECK_STATUS, {(about, check): is_ok for (about, check), is_ok in figures.checks.items()})
    yield _gauge(metric_list.LAST_FAILURE, dict.fromkeys(map(_failure, filter(_has_failed, figures.accounts)), 1))


def _whole(figures: MonitoringFigures, settings: Settings) -> Iterator[core.Metric]:
    silent_after = silence.bound_seconds(settings)
    ages = {sensor: age for sensor, age in figures.sensor_ages.items() if sensor in silence.SENSORS}
    ticks = all(ages.get(sensor, float("inf")) <= silent_after for sensor in silence.SENSORS)
    bounds = {
        "stale": settings.stale_after_hours * 3600,
        "stuck": settings.stuck_threshold_hours * 3600,
        "dead": settings.heartbeat_timeout_seconds,
        "silent": silent_after,
    }
    kinds = metric_list.INCIDENTS.labels["kind"]
    yield _gauge(metric_list.MONITOR_STATUS, {(): float(ticks)})
    yield _gauge(metric_list.SENSOR_AGE, {(sensor,): age for sensor, age in ages.items()})
    yield _gauge(metric_list.INCIDENTS, {(kind,): figures.open_incidents.get(kind, 0) for kind in kinds})
    yield _gauge(metric_list.BOUNDS, {(bound,): seconds for bound, seconds in bounds.items()})
    yield _gauge(metric_list.SCHEMA_INFO, {(figures.revision,): 1})


def _each(figures: MonitoringFigures, value: Callable[[AccountGauges], float]) -> dict[Labels, float]:
    return {(account.account,): value(account) for account in figures.accounts}


def _offers(account: AccountGauges) -> Iterator[tuple[Labels, float]]:
    yield (account.account, "saleable"), account.saleable
    yield (account.account, "not_saleable"), account.not_saleable
    yield (account.account, "deleted"), account.deleted


def _surprises(figures: MonitoringFigures) -> dict[Labels, float]:
    return {
        (account.account, kind.replace(" ", "_")): figures.surprises.get((account.account, kind), 0)
        for account in figures.accounts
        for kind in KINDS
    }


def _has_failed(account: AccountGauges) -> bool:
    return account.status is not None and account.status.has_failed


def _failure(account: AccountGauges) -> Labels:
    error_class = account.error_class or metric_list.OTHER
    known = metric_list.LAST_FAILURE.labels["error_class"]
    return account.account, error_class if error_class in known else metric_list.OTHER


def _gauge(metric: Metric, values: Mapping[Labels, float]) -> core.Metric:
    family = core.GaugeMetricFamily(metric.name, metric.help, labels=list(metric.labels))
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _counter(metric: Metric, values: Mapping[Labels, float]) -> core.Metric:
    family = core.CounterMetricFamily(metric.name, metric.help, labels=list(metric.labels))
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, stored: StoredCounters) -> core.Metric:
    family = core.HistogramMetricFamily(metric.name, metric.help, labels=list(metric.labels))
    for labels, latencies in stored.latencies(metric).items():
        family.add_metric(labels, latencies.buckets, latencies.sum)
    return family
