"""What a scrape gets: the figures of the database as Prometheus' metrics, and whether they could be read at all."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import metrics_core as core
from prometheus_client.registry import Collector

from emag_pipeline.db.answer_review import KINDS
from emag_pipeline.db.metrics import AccountGauges, Figures
from emag_pipeline.errors import PipelineError
from emag_pipeline.monitoring import metric_list as names
from emag_pipeline.monitoring import silence
from emag_pipeline.monitoring.freshness import bound_seconds
from emag_pipeline.monitoring.metric_list import Metric
from emag_pipeline.monitoring.stored_counters import Labels, StoredCounters
from emag_pipeline.settings import Settings

_STORED = (
    names.REQUESTS, names.REQUEST_ERRORS, names.STUCK_SYNCS, names.RECOVERED_SYNCS, names.ALERTS,
)  # fmt: skip
_RUN_STATUS = {"running": 1, "completed": 2, "failed": 3, "timeout": 4}


class PipelineCollector(Collector):
    """Reads everything anew at each scrape. A database that is away costs the figures, never the answer."""

    def __init__(self, settings: Settings, read: Callable[[], Figures]) -> None:
        self._settings = settings
        self._read = read

    def describe(self) -> Iterable[core.Metric]:
        """Nothing: a registry must not need the database."""
        return ()

    def collect(self) -> Iterator[core.Metric]:
        """All metrics of metric_list; without figures only the exporter's own two."""
        began = time.monotonic()
        try:
            figures = self._read()
        except PipelineError:
            figures = None
        seconds = time.monotonic() - began
        yield _gauge(names.DATABASE_UP, {(): float(figures is not None)})
        yield _gauge(names.SCRAPE_SECONDS, {(): seconds})
        if figures is not None:
            yield from families(figures, self._settings)


def families(figures: Figures, settings: Settings) -> Iterator[core.Metric]:
    """The metrics that figures of the database make."""
    stored = StoredCounters(figures.counters, [account.name for account in settings.accounts])
    for metric in _STORED:
        yield _counter(metric, stored.values(metric))
    yield _counter(names.OFFERS_READ, _each(figures, lambda account: account.offers_processed))
    yield _histogram(names.REQUEST_LATENCY, stored)
    yield from _account_gauges(figures, settings)
    yield from _whole(figures, settings)


def _account_gauges(figures: Figures, settings: Settings) -> Iterator[core.Metric]:
    values: list[tuple[Metric, Callable[[AccountGauges], float]]] = [
        (names.RUN_STATUS, lambda account: _RUN_STATUS.get(account.status or "", 0)),
        (names.LAST_SUCCESS, lambda account: account.last_success or 0),
        (names.OLDEST_PAGE, lambda account: account.oldest_page or 0),
        (names.STALE_BOUND, lambda account: bound_seconds(account, settings)),
        (names.PAGES_EXPECTED, lambda account: account.pages_expected or 0),
        (names.PAGES_DONE, lambda account: account.pages_done),
        (names.PROGRESS_AGE, lambda account: account.progress_age),
        (names.HEARTBEAT_AGE, lambda account: account.heartbeat_age),
        (names.RATE_BUDGET, lambda account: account.slots * settings.pace_seconds / 60),
        (names.QUARANTINED, lambda account: account.quarantined),
    ]
    for metric, value in values:
        yield _gauge(metric, _each(figures, value))
    yield _gauge(names.OFFERS, dict(pair for account in figures.accounts for pair in _offers(account)))
    yield _gauge(names.ANSWER_SURPRISES, _surprises(figures))
    yield _gauge(names.ACCOUNT_LEFT, {(account,): 1 for account in figures.left})
    yield _gauge(names.CHECK_STATUS, {(subject, check): value for (subject, check), value in figures.checks.items()})
    yield _gauge(names.LAST_FAILURE, dict.fromkeys(map(_failure, filter(_has_failed, figures.accounts)), 1))


def _whole(figures: Figures, settings: Settings) -> Iterator[core.Metric]:
    silent_after = silence.bound_seconds(settings)
    ages = {sensor: age for sensor, age in figures.sensor_ages.items() if sensor in silence.SENSORS}
    ticks = all(ages.get(sensor, float("inf")) <= silent_after for sensor in silence.SENSORS)
    bounds = {
        "stale": settings.stale_after_hours * 3600,
        "stuck": settings.stuck_threshold_hours * 3600,
        "dead": settings.heartbeat_timeout_seconds,
        "silent": silent_after,
    }
    kinds = names.INCIDENTS.labels["kind"]
    yield _gauge(names.MONITOR_STATUS, {(): float(ticks)})
    yield _gauge(names.SENSOR_AGE, {(sensor,): age for sensor, age in ages.items()})
    yield _gauge(names.INCIDENTS, {(kind,): figures.open_incidents.get(kind, 0) for kind in kinds})
    yield _gauge(names.BOUNDS, {(bound,): seconds for bound, seconds in bounds.items()})
    yield _gauge(names.SCHEMA_INFO, {(figures.revision,): 1})


def _each(figures: Figures, value: Callable[[AccountGauges], float]) -> dict[Labels, float]:
    return {(account.account,): value(account) for account in figures.accounts}


def _offers(account: AccountGauges) -> Iterator[tuple[Labels, float]]:
    yield (account.account, "saleable"), account.saleable
    yield (account.account, "not_saleable"), account.not_saleable
    yield (account.account, "deleted"), account.deleted


def _surprises(figures: Figures) -> dict[Labels, float]:
    return {
        (account.account, kind.replace(" ", "_")): figures.surprises.get((account.account, kind), 0)
        for account in figures.accounts
        for kind in KINDS
    }


def _has_failed(account: AccountGauges) -> bool:
    return account.status in ("failed", "timeout")


def _failure(account: AccountGauges) -> Labels:
    error_class = account.error_class or names.OTHER
    known = names.LAST_FAILURE.labels["error_class"]
    return account.account, error_class if error_class in known else names.OTHER


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
