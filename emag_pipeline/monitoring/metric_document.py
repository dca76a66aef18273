"""docs/metrics.md, from the list of metrics: `python -m emag_pipeline.monitoring.metric_document` in a checkout."""

import sys
from collections.abc import Iterator
from pathlib import Path

from emag_pipeline.monitoring import health_page
from emag_pipeline.monitoring.metric_list import METRICS, Metric

PATH = Path("docs/metrics.md")
_HEAD = """\
# Metrics and health

Written by `python -m emag_pipeline.monitoring.metric_document`; do not edit it.

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
    return "\n".join([_HEAD, *(line for metric in METRICS for line in _section(metric)), *_health()])


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


def _health() -> Iterator[str]:
    """The docstring of the page, so that the words stand beside the code; its keys become a list."""
    yield "## /health"
    yield ""
    for line in (health_page.__doc__ or "").splitlines():
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
