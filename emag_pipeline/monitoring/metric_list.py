"""Every metric of the exporter: name, type, labels and meaning; and docs/metrics.md, which is rendered from them.

`python -m emag_pipeline.monitoring.metric_list` in a checkout regenerates the document.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emag_pipeline.monitoring import health
from emag_pipeline.monitoring.silence import SENSORS
from emag_pipeline.store.monitoring_tables import OFFERS_PROCESSED
from emag_pipeline.sync.surprises import KINDS

#: Replaces unknown label values, which limits the number of series.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Names end in their unit; `_total` marks counters.

    `labels` are the names, each with its possible values; empty if they depend on the settings or the schema.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: Mapping[str, Sequence[str]]
    help: str


#: The calls that every account makes in every sync. One account per marketplace reads reference data, once a day.
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
    "1 if the exporter could read the database, else 0; all other figures are then missing.",
)
SCRAPE_SECONDS = Metric(
    "emag_sync_scrape_seconds", "gauge", {}, "Time that the exporter took to read the figures of this scrape."
)
SCHEMA_INFO = Metric("emag_sync_schema_info", "gauge", {"revision": ()}, "Always 1; the schema's version is the label.")

REQUESTS = Metric(
    "emag_sync_requests_total",
    "counter",
    {**_RESOURCE, "outcome": ("ok", "error")},
    "Calls to the marketplace, by outcome.",
)
REQUEST_ERRORS = Metric(
    "emag_sync_request_errors_total",
    "counter",
    {**_RESOURCE, "error_class": _CALL_ERRORS},
    "Failed calls to the marketplace, by error class.",
)
REQUEST_LATENCY = Metric(
    "emag_sync_request_latency_seconds",
    "histogram",
    _RESOURCE,
    "Duration of calls to the marketplace, without the wait for the rate budget.",
)
OFFERS_READ = Metric(
    OFFERS_PROCESSED,
    "counter",
    _ACCOUNT,
    "Offers that were staged durably, each counted once per sync.",
)
STUCK_SYNCS = Metric("emag_sync_stuck_syncs_total", "counter", _ACCOUNT, "Syncs found stuck, dead or orphaned.")
RECOVERED_SYNCS = Metric(
    "emag_sync_recovered_syncs_total",
    "counter",
    _ACCOUNT,
    "Stuck syncs that were ended so that the next run could resume.",
)
ALERTS = Metric(
    "emag_sync_alerts_total",
    "counter",
    {"outcome": ("told", "failed")},
    "Messages to the webhook, by outcome: accepted (told), or failed (retried later).",
)

RUN_STATUS = Metric(
    "emag_sync_run_status",
    "gauge",
    _ACCOUNT,
    "Status of the newest sync: 0 idle (none yet, or cancelled), 1 running, 2 completed, 3 failed, 4 timeout.",
)
LAST_FAILURE = Metric(
    "emag_sync_last_failure",
    "gauge",
    {**_ACCOUNT, "error_class": _SYNC_ERRORS},
    "1 while the account's newest sync is one that failed or timed out, with its error class; else missing.",
)
LAST_SUCCESS = Metric(
    "emag_sync_last_success_timestamp_seconds",
    "gauge",
    _ACCOUNT,
    "Unix time of the account's last publish; 0 before the first.",
)
OLDEST_PAGE = Metric(
    "emag_sync_oldest_page_timestamp_seconds",
    "gauge",
    _ACCOUNT,
    "Unix time at which the oldest page of the last publish was read, the age of the data; 0 before the first publish.",
)
STALE_BOUND = Metric(
    "emag_sync_stale_bound_seconds",
    "gauge",
    _ACCOUNT,
    "Age of that page at which the account is stale: by the settings, at least twice the duration of the last scan.",
)
PAGES_EXPECTED = Metric(
    "emag_sync_pages_expected",
    "gauge",
    _ACCOUNT,
    "Pages that the newest sync has to read; 0 until it is known.",
)
PAGES_DONE = Metric("emag_sync_pages_done", "gauge", _ACCOUNT, "Pages of the newest sync that are staged durably.")
PROGRESS_AGE = Metric(
    "emag_sync_progress_age_seconds",
    "gauge",
    _ACCOUNT,
    "Time since the running sync last staged a page durably; 0 while none runs.",
)
HEARTBEAT_AGE = Metric(
    "emag_sync_heartbeat_age_seconds",
    "gauge",
    _ACCOUNT,
    "Time since the running sync's last heartbeat; 0 while none runs.",
)
RATE_BUDGET = Metric(
    "emag_sync_rate_budget_used_ratio",
    "gauge",
    _ACCOUNT,
    "Calls made in the last minute as a share of those allowed, all processes together.",
)
OFFERS = Metric(
    "emag_offers",
    "gauge",
    {**_ACCOUNT, "state": ("saleable", "not_saleable", "deleted")},
    "Published offers: saleable and not_saleable ones exist now, deleted ones are confirmed as gone.",
)
QUARANTINED = Metric(
    "emag_offers_quarantined",
    "gauge",
    _ACCOUNT,
    "Existing offers whose newest row is quarantined; the last good one stays published.",
)
ANSWER_SURPRISES = Metric(
    "emag_sync_answer_surprises",
    "gauge",
    {**_ACCOUNT, "kind": tuple(kind.replace(" ", "_") for kind in KINDS)},
    "Unexpected fields in the marketplace's responses since the newest completed sync began, by kind; "
    "the check answers_are_as_known lists them.",
)
ACCOUNT_LEFT = Metric(
    "emag_sync_account_left",
    "gauge",
    _ACCOUNT,
    "1 for an account whose offers are kept though it is no longer configured (`emag-pipeline forget`); else missing.",
)
CHECK_STATUS = Metric(
    "emag_sync_check_status",
    "gauge",
    {"subject": (), "check": ()},
    "Newest result of each check of an account or marketplace: 0 passes, 1 warns, 2 fails (severity ERROR). "
    "docs/checks.md lists the checks.",
)
MONITOR_STATUS = Metric(
    "emag_sync_monitor_status",
    "gauge",
    {},
    "1 if all sensors of the daemon tick, 0 if any has not ticked for too long.",
)
SENSOR_AGE = Metric(
    "emag_sync_sensor_age_seconds",
    "gauge",
    {"sensor": SENSORS},
    "Time since the sensor's last finished tick; missing for one that never ticked.",
)
INCIDENTS = Metric(
    "emag_sync_incidents_open",
    "gauge",
    {"kind": ("failing", "refused", "stale", "stuck", "silent", "red")},
    "Open incidents, by kind.",
)
BOUNDS = Metric(
    "emag_sync_bound_seconds",
    "gauge",
    {"bound": ("stale", "stuck", "dead", "silent")},
    "The limits from the settings, for alert rules: stale counts from the oldest page of the last publish, stuck from "
    "the last progress, dead from the last heartbeat, silent from a sensor's last tick.",
)

METRICS = (
    DATABASE_UP, SCRAPE_SECONDS, SCHEMA_INFO, REQUESTS, REQUEST_ERRORS, REQUEST_LATENCY, OFFERS_READ, STUCK_SYNCS,
    RECOVERED_SYNCS, ALERTS, RUN_STATUS, LAST_FAILURE, LAST_SUCCESS, OLDEST_PAGE, STALE_BOUND,
    PAGES_EXPECTED, PAGES_DONE, PROGRESS_AGE,
    HEARTBEAT_AGE, RATE_BUDGET, OFFERS, QUARANTINED, ANSWER_SURPRISES, ACCOUNT_LEFT, CHECK_STATUS, MONITOR_STATUS,
    SENSOR_AGE,
    INCIDENTS, BOUNDS,
)  # fmt: skip


# docs/metrics.md.

PATH = Path("docs/metrics.md")
_HEAD = """\
# Metrics and health

Generated by `python -m emag_pipeline.monitoring.metric_list`; do not edit.

`emag-pipeline exporter`, which `emag-pipeline up` runs too, answers Prometheus at `/metrics` on
`EMAG_SYNC_METRICS_PORT` (9108) and probes at `/health` and `/ready` on `EMAG_SYNC_HEALTH_PORT` (8000), both bound to
`EMAG_SYNC_BIND` (127.0.0.1). It reads everything from the database, so it covers every process on every machine; one
exporter is enough; a second one shows the same figures.

- Counters are stored in the database: they survive all restarts and outlive the request log. A crash of the database
  server may lose the last half second of counts.
- The counters of syncs start at 0 for every configured account (`EMAG_ACCOUNTS`). An account that was removed from
  the settings is no longer shown.
- Label values are limited to those below, which limits the number of series; unknown values become `other`. An account
  has 61 from the start, 1 more for each check that has been evaluated (17 checks), 14 to 21 more for each resource
  besides those of a scan (four of reference data, read by one account per marketplace), and 1 while its last sync
  failed: about 80 in daily use, about 135 where reference data is read.
- A scrape takes some tens of milliseconds with thirty accounts and a million offers (`make bench`): it reads no offers,
  no calls and no old syncs.
- If the database cannot be read, only `emag_sync_database_up` (0) and `emag_sync_scrape_seconds` are shown.
- Each port serves 16 connections at a time, one request per connection, and answers 503 to more. A request has to
  arrive within 10 seconds, and its answer has to be read within 30.

The alert rules are in `deploy/prometheus/rules.yml`, what to do about each in `docs/runbook.md`, the dashboard in
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
    """The section on `/health`, taken from the docstring of the page; its keys become a list."""
    yield "## /health"
    yield ""
    for line in (health.__doc__ or "").splitlines():
        key, _, meaning = line.partition("  ")
        yield f"- `{key}`: {meaning.strip()}" if meaning else line
    yield ""
    yield "## /ready"
    yield ""
    yield "200 if the database can be read and its schema is that of this version, else 503 with `problems` as above."
    yield ""


def main() -> None:
    """Regenerate the document."""
    PATH.write_text(rendered(), encoding="utf-8")
    sys.stdout.write(f"{PATH}\n")


if __name__ == "__main__":
    main()
