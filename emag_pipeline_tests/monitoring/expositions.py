"""What a scrape of a database gives, read back by Prometheus' own parser."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from emag_pipeline.monitoring import metrics
from emag_pipeline.monitoring.metrics import PipelineCollector
from emag_pipeline.monitoring.silence import SENSORS
from emag_pipeline.settings import load_settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger, request_log
from emag_pipeline_tests.sync.offers import call, offer
from emag_pipeline_tests.sync.syncs import begin, sync

#: A series: its name, and its labels in order.
Series = tuple[str, tuple[tuple[str, str], ...]]


def exposition(database: Database, accounts: str = "main,fbe", **environ: str) -> str:
    """The text of a scrape."""
    settings = load_settings({"EMAG_ACCOUNTS": accounts, **environ}, env_file=None)
    names = {str(account.name): account.login for account in settings.accounts}
    registry = CollectorRegistry()
    registry.register(PipelineCollector(settings, lambda: metrics.read(database, names, settings.marketplaces, 30)))
    return generate_latest(registry).decode()


def series(text: str) -> dict[Series, float]:
    """All series of a scrape, and their values."""
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def value(text: str, name: str, **labels: str) -> float:
    """One series of a scrape."""
    return series(text)[name, tuple(sorted(labels.items()))]


def eventful(database: Database) -> None:
    """Give the database something of everything: publishes, a failure, calls, ticks."""
    sync(database, [offer(1), offer(2, is_saleable=False)])
    sync(database, [offer(1)], gone=[2], account="fbe")
    ledger.end(database, begin(database, "fbe"), "failed", error_class="RefusedError", message="m", remedy="r")
    request_log.save(database, [call(), call(status=429, outcome="error", error_class="RateLimited")])
    for sensor in SENSORS:
        monitoring_tables.note_tick(database, sensor)
