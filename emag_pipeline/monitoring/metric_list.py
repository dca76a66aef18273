"""Every metric that the exporter gives: its name, type, labels and meaning. docs/metrics.md is rendered from here."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emag_pipeline.monitoring import health
from emag_pipeline.monitoring.silence import SENSORS
from emag_pipeline.store.counters import OFFERS_PROCESSED
from emag_pipeline.sync.surprises import KINDS

#: What stands for a label value that is not known here, so that a surprise costs one series and not a thousand.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Names end in their unit; `_total` marks what only grows.

    `labels` are the names, each with the values that it can have; none are listed where settings or schema decide.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: Mapping[str, Sequence[str]]
    help: str


#: What every account calls at every sync. Reference data is read once a day, by one account of each marketplace.
SCAN_RESOURCES = ("product_offer/read", "product_offer/count")

_ACCOUNT: Mapping[str, Sequence[str]] = {"account_type": ()}
_RESOURCE = {
    **_ACCOUNT,
    "resource": (*SCAN_RESOURCES, "category/read", "category/count", "vat/read", "handling_time/read", OTHER),
}
_CALL_ERRORS = ("ApiUnavailable", "RateLimited", "AccessRefused", "RequestRefused", "CallAborted", OTHER)
_SYNC_ERRORS = (
    "ApiUnavailable", "RateLimited", "CallAborted", "DatabaseUnavailable", "SyncTimedOut", "StagingLost",
    "ScanNotProven",
    "AccessRefused", "RequestRefused", "ParametersIgnored", "PageBoundExceeded", "SchemaMismatch",
    "SettingsError", "PermanentError",
    "RefusedError", "StuckSync", "OwnerDied", "Interrupted", OTHER,
)  # fmt: skip

DATABASE_UP = Metric(
    "emag_sync_database_up",
    "gauge",
    {},
    "1 when the exporter could read its figures from the database, 0 when not; all others are then missing.",
)
SCRAPE_SECONDS = Metric(
    "emag_sync_scrape_seconds", "gauge", {}, "How long the exporter took to read the figures of this scrape."
)
SCHEMA_INFO = Metric("emag_sync_schema_info", "gauge", {"revision": ()}, "Always 1; which version the schema is at.")

REQUESTS = Metric(
    "emag_sync_requests_total",
    "counter",
    {**_RESOURCE, "outcome": ("ok", "error")},
    "Calls to the marketplace, by outcome: ok or error.",
)
REQUEST_ERRORS = Metric(
    "emag_sync_request_errors_total",
    "counter",
    {**_RESOURCE, "error_class": _CALL_ERRORS},
    "Calls to the marketplace that failed, by the error that they ended with.",
)
REQUEST_LATENCY = Metric(
    "emag_sync_request_latency_seconds",
    "histogram",
    _RESOURCE,
    "How long calls to the marketplace took, without the wait for the rate budget.",
)
OFFERS_READ = Metric(
    OFFERS_PROCESSED,
    "counter",
    _ACCOUNT,
    "Offers that became durable in staging, each counted once a sync.",
)
STUCK_SYNCS = Metric(
    "emag_sync_stuck_syncs_total", "counter", _ACCOUNT, "Syncs that were found stuck, dead or abandoned."
)
RECOVERED_SYNCS = Metric(
    "emag_sync_recovered_syncs_total",
    "counter",
    _ACCOUNT,
    "Stuck syncs that were ended so that the next run could go on.",
)
ALERTS = Metric(
    "emag_sync_alerts_total",
    "counter",
    {"outcome": ("told", "failed")},
    "Messages for the webhook, by outcome: told, or failed and to be tried again.",
)

RUN_STATUS = Metric(
    "emag_sync_run_status",
    "gauge",
    _ACCOUNT,
    "The newest sync: 0 idle (none yet, or cancelled), 1 running, 2 completed, 3 failed, 4 timeout.",
)
LAST_FAILURE = Metric(
    "emag_sync_last_failure",
    "gauge",
    {**_ACCOUNT, "error_class": _SYNC_ERRORS},
    "1 while the newest sync of the account is one that failed or timed out, with its error; else missing.",
)
LAST_SUCCESS = Metric(
    "emag_sync_last_success_timestamp_seconds",
    "gauge",
    _ACCOUNT,
    "When the account was last published, in Unix time; 0 before the first time.",
)
OLDEST_PAGE = Metric(
    "emag_sync_oldest_page_timestamp_seconds",
    "gauge",
    _ACCOUNT,
    "When the oldest page of what was last published was read, in Unix time: how old what readers see is; 0 before.",
)
STALE_BOUND = Metric(
    "emag_sync_stale_bound_seconds",
    "gauge",
    _ACCOUNT,
    "Age of that page from which on the account is stale: that of the settings, at least twice the last scan's length.",
)
PAGES_EXPECTED = Metric(
    "emag_sync_pages_expected",
    "gauge",
    _ACCOUNT,
    "Pages that the newest sync has to read; 0 until it knows.",
)
PAGES_DONE = Metric("emag_sync_pages_done", "gauge", _ACCOUNT, "Pages of the newest sync that are durable in staging.")
PROGRESS_AGE = Metric(
    "emag_sync_progress_age_seconds",
    "gauge",
    _ACCOUNT,
    "Since the running sync last made something durable; 0 while none runs.",
)
HEARTBEAT_AGE = Metric(
    "emag_sync_heartbeat_age_seconds",
    "gauge",
    _ACCOUNT,
    "Since the running sync's last sign of life; 0 while none runs.",
)
RATE_BUDGET = Metric(
    "emag_sync_rate_budget_used_ratio",
    "gauge",
    _ACCOUNT,
    "Share of the calls allowed within the last minute that were made, all processes together.",
)
OFFERS = Metric(
    "emag_offers",
    "gauge",
    {**_ACCOUNT, "state": ("saleable", "not_saleable", "deleted")},
    "Published offers: saleable and not_saleable exist now, deleted ones are confirmed as gone.",
)
QUARANTINED = Metric(
    "emag_offers_quarantined",
    "gauge",
    _ACCOUNT,
    "Existing offers whose newest reading could not be represented; the last good one stays published.",
)
ANSWER_SURPRISES = Metric(
    "emag_sync_answer_surprises",
    "gauge",
    {**_ACCOUNT, "kind": tuple(kind.replace(" ", "_") for kind in KINDS)},
    "Fields of the marketplace's answers that were not as known since the newest completed sync began, by kind: "
    "the check answers_are_as_known lists them.",
)
ACCOUNT_LEFT = Metric(
    "emag_sync_account_left",
    "gauge",
    _ACCOUNT,
    "1 for an account of which offers are kept though it is configured no more (`emag-pipeline forget`); else missing.",
)
CHECK_STATUS = Metric(
    "emag_sync_check_status",
    "gauge",
    {"subject": (), "check": ()},
    "What each check said last of an account or marketplace: 0 it passes, 1 it warns, 2 it fails (severity ERROR). "
    "docs/checks.md lists them.",
)
MONITOR_STATUS = Metric(
    "emag_sync_monitor_status",
    "gauge",
    {},
    "1 when the daemon's sensors tick, 0 when one of them has been silent for too long.",
)
SENSOR_AGE = Metric(
    "emag_sync_sensor_age_seconds",
    "gauge",
    {"sensor": SENSORS},
    "Since the sensor last finished an evaluation; missing for one that never did.",
)
INCIDENTS = Metric(
    "emag_sync_incidents_open",
    "gauge",
    {"kind": ("failing", "refused", "stale", "stuck", "silent", "red")},
    "Incidents that were noticed and are not resolved, by kind.",
)
BOUNDS = Metric(
    "emag_sync_bound_seconds",
    "gauge",
    {"bound": ("stale", "stuck", "dead", "silent")},
    "The bounds that the settings give, for alert rules: stale since the oldest page of the last publish, stuck "
    "since the last progress, "
    "dead since the last heartbeat, silent since a sensor's last tick.",
)

METRICS = (
    DATABASE_UP, SCRAPE_SECONDS, SCHEMA_INFO, REQUESTS, REQUEST_ERRORS, REQUEST_LATENCY, OFFERS_READ, STUCK_SYNCS,
    RECOVERED_SYNCS, ALERTS, RUN_STATUS, LAST_FAILURE, LAST_SUCCESS, OLDEST_PAGE, STALE_BOUND,
    PAGES_EXPECTED, PAGES_DONE, PROGRESS_AGE,
    HEARTBEAT_AGE, RATE_BUDGET, OFFERS, QUARANTINED, ANSWER_SURPRISES, ACCOUNT_LEFT, CHECK_STATUS, MONITOR_STATUS,
    SENSOR_AGE,
    INCIDENTS, BOUNDS,
)  # fmt: skip


# docs/metrics.md, from the list of metrics: `python -m emag_pipeline.monitoring.metric_list` in a checkout.

PATH = Path("docs/metrics.md")
_HEAD = """\
# Metrics and health

Written by `python -m emag_pipeline.monitoring.metric_list`; do not edit it.

`emag-pipeline exporter`, which `emag-pipeline up` runs too, answers Prometheus at `/metrics` on
`EMAG_SYNC_METRICS_PORT` (9108) and probes at `/health` and `/ready` on `EMAG_SYNC_HEALTH_PORT` (8000), both bound to
`EMAG_SYNC_BIND` (127.0.0.1). It reads everything from the database, so it tells of every process on every machine; one
exporter is enough, a second one tells the same.

- Counters are kept in the database: they survive restarts of everything and outlive the request log. A crash of the
  database server may take back what was counted within its last half second.
- What a sync can count starts at 0 for every configured account (`EMAG_ACCOUNTS`). An account that was taken out of
  the settings is no longer told.
- Label values are those below, so the number of series is bounded: about sixty an account. What is not known becomes
  `other`.
- A scrape costs some tens of milliseconds with thirty accounts and a million offers (`make bench`): no offer, no call
  and no old sync is looked at.
- When the database cannot be read, only `emag_sync_database_up` (0) and `emag_sync_scrape_seconds` are told.

Alert rules stand in `deploy/prometheus/rules.yml`, what to do about each in `docs/runbook.md`, the dashboard in
`deploy/grafana/`.

## /metrics
"""


def rendered() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *(line for metric in METRICS for line in _section(metric)), *_health_section()])


def _section(metric: Metric) -> Iterator[str]:
    yield f"**`{metric.name}`** ({metric.kind})  "
    yield metric.help
    yield ""
    for label, values in metric.labels.items():
        known = ", ".join(f"`{value}`" for value in values)
        yield f"- `{label}`: {known or _FROM[label]}"
    if metric.labels:
        yield ""


_FROM = {
    "account_type": "the accounts of the settings",
    "subject": "the accounts of the settings and their marketplaces",
    "check": "docs/checks.md",
    "revision": "the schema's version",
}


def _health_section() -> Iterator[str]:
    """The docstring of the page, so that the words stand beside the code; its keys become a list."""
    yield "## /health"
    yield ""
    for line in (health.__doc__ or "").splitlines():
        key, _, meaning = line.partition("  ")
        yield f"- `{key}`: {meaning.strip()}" if meaning else line
    yield ""
    yield "## /ready"
    yield ""
    yield "200 while the database can be read and its schema is this version's, else 503 with the same `problems`."
    yield ""


def main() -> None:
    """Write the document anew."""
    PATH.write_text(rendered(), encoding="utf-8")
    sys.stdout.write(f"{PATH}\n")


if __name__ == "__main__":
    main()
