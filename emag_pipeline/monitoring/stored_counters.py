"""What the database has counted, made ready to be told: each series from zero on, label values from a known set.

A counter that appears late hides its first increase from rate(), so what a sync can count is there from the start, for
every account. An account that was taken out of the settings is no longer told.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, product
from typing import NamedTuple

from emag_pipeline.db.metrics import Counter
from emag_pipeline.db.requests import LATENCY_BUCKETS
from emag_pipeline.monitoring.metric_list import OTHER, SCAN_RESOURCES, Metric

Labels = tuple[str, ...]

_BOUNDS = (*map(str, LATENCY_BUCKETS), "+Inf")


class Latencies(NamedTuple):
    """A histogram's series: `buckets` from the smallest bound to +Inf, each with all that are below it."""

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
        """All series of a histogram that is stored as `_bucket` and `_sum`, each call in one bucket only."""
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
