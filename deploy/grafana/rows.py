"""The dashboard's panels. Each answers one question; its help text says how to react."""

from deploy.grafana.panels import Colours, Words, now, over_time

#: The accounts selected at the top of the dashboard.
_OF = 'account_type=~"$account"'
_EACH = "{{account_type}}"

_YES_OR_NO: Words = {"0": ("no", "red"), "1": ("yes", "green")}
_STATES: Words = {
    "0": ("idle", "blue"),
    "1": ("running", "yellow"),
    "2": ("completed", "green"),
    "3": ("failed", "red"),
    "4": ("timeout", "orange"),
}
_ANY_IS_BAD: Colours = {None: "green", 1: "red"}


def _most(metric: str) -> str:
    """A gauge per account; the largest value if several exporters report it."""
    return f"max by (account_type) ({metric}{{{_OF}}})"


def _bound(name: str) -> str:
    return f'max(emag_sync_bound_seconds{{bound="{name}"}})'


def _rate(metric: str, *labels: str) -> str:
    return f"sum by ({', '.join(labels)}) (rate({metric}{{{_OF}}}[$__rate_interval]))"


def _in_an_hour(metric: str) -> str:
    return f"sum by (account_type) (increase({metric}{{{_OF}}}[1h]))"


def _latency(share: float) -> str:
    buckets = _rate("emag_sync_request_latency_seconds_bucket", "resource", "le")
    return f"histogram_quantile({share}, {buckets})"


_AGE = f"time() - max by (account_type) (emag_sync_oldest_page_timestamp_seconds{{{_OF}}} > 0)"
_SHARE_READ = f"emag_sync_pages_done{{{_OF}}} / (emag_sync_pages_expected{{{_OF}}} > 0)"

_WELL = (
    now(
        "Exporter answers",
        "No: all other panels are out of date. docs/runbook.md, EmagExporterDown.",
        {"": 'max(up{job="emag_pipeline"})'},
        words=_YES_OR_NO,
    ),
    now(
        "Database can be read",
        "No: docs/runbook.md, EmagDatabaseDown.",
        {"": "min(emag_sync_database_up)"},
        words=_YES_OR_NO,
    ),
    now(
        "Daemon's sensors tick",
        "No: nothing is refreshed or recovered automatically. docs/runbook.md, EmagMonitorSilent.",
        {"": "min(emag_sync_monitor_status)"},
        words=_YES_OR_NO,
    ),
    now(
        "Open incidents",
        "Problems that are not resolved; `emag-pipeline status` describes them.",
        {"{{kind}}": "max by (kind) (emag_sync_incidents_open)"},
        width=12,
        colours=_ANY_IS_BAD,
    ),
)

_ACCOUNTS = (
    now(
        "Newest sync",
        "Failed or timeout: `emag-pipeline status` has the reason and the remedy.",
        {_EACH: _most("emag_sync_run_status")},
        width=12,
        words=_STATES,
    ),
    now(
        "Age of the published data",
        "Time since the oldest published page was read. docs/runbook.md, EmagAccountStale.",
        {_EACH: _AGE},
        width=12,
        unit="s",
    ),
    over_time(
        "Age of the published data, over time",
        "A sawtooth: each publish resets it to the scan's length. Bound: EMAG_SYNC_STALE_AFTER_HOURS, or two scans.",
        {_EACH: _AGE, f"{_EACH}: bound": _most("emag_sync_stale_bound_seconds")},
        unit="s",
    ),
    over_time(
        "Failures",
        "The error class of an account's newest sync; docs/runbook.md has a heading for each.",
        {
            f"{_EACH}: {{{{error_class}}}}": (
                f"max by (account_type, error_class) (emag_sync_last_failure{{{_OF}}})"
            )
        },
        most=1,
    ),
)  # fmt: skip

_SYNCS = (
    over_time(
        "Pages read",
        "Progress of the newest sync: 100 % means that all pages are durable.",
        {_EACH: f"max by (account_type) ({_SHARE_READ})"},
        unit="percentunit",
        most=1,
    ),
    over_time(
        "Offers read per second",
        "At three calls per second at most 300.",
        {_EACH: _rate("emag_sync_offers_processed_total", "account_type")},
    ),
    over_time(
        "Since the last progress",
        "Of running syncs. Past the bound a sync is stuck and should be ended automatically.",
        {_EACH: _most("emag_sync_progress_age_seconds"), "bound": _bound("stuck")},
        unit="s",
    ),
    over_time(
        "Since the last heartbeat",
        "Of running syncs. Past the bound the process is gone; the next run resumes what is durable.",
        {_EACH: _most("emag_sync_heartbeat_age_seconds"), "bound": _bound("dead")},
        unit="s",
    ),
    over_time(
        "Stuck and recovered syncs per hour",
        "Stuck without recovered: `emag-pipeline recover`. docs/runbook.md, EmagSyncStuck.",
        {
            f"{_EACH} stuck": _in_an_hour("emag_sync_stuck_syncs_total"),
            f"{_EACH} recovered": _in_an_hour("emag_sync_recovered_syncs_total"),
        },
        width=24,
    ),
)

_OFFERS = (
    over_time(
        "Published offers",
        "Existing offers, by saleability.",
        {f"{_EACH} {{{{state}}}}": f'max by (account_type, state) (emag_offers{{{_OF}, state!="deleted"}})'},
        stacked=True,
    ),
    over_time(
        "Deleted and quarantined",
        "Investigate a jump: `emag-pipeline rejects`, or emag_product_offers.deleted_at.",
        {
            f"{_EACH} deleted": f'max by (account_type) (emag_offers{{{_OF}, state="deleted"}})',
            f"{_EACH} quarantined": _most("emag_offers_quarantined"),
        },
    ),
)

_MARKETPLACE = (
    over_time(
        "Rate budget used",
        "Share of the calls per minute that an account may make. docs/runbook.md, EmagRateBudgetExhausted.",
        {_EACH: _most("emag_sync_rate_budget_used_ratio")},
        unit="percentunit",
        most=1,
    ),
    over_time(
        "Failed calls",
        "By error. RateLimited: other software calls for the same account, see EMAG_SYNC_RATE_SHARE.",
        {
            f"{_EACH}: {{{{error_class}}}}": (
                _rate("emag_sync_request_errors_total", "account_type", "error_class") + " > 0"
            )
        },
        unit="reqps",
    ),
    over_time(
        "Calls",
        "By resource and outcome.",
        {"{{resource}} {{outcome}}": _rate("emag_sync_requests_total", "resource", "outcome") + " > 0"},
        unit="reqps",
        stacked=True,
    ),
    over_time(
        "Duration of a call",
        "Without the wait for the rate budget; 95th percentile and median.",
        {"{{resource}} 95 %": _latency(0.95), "{{resource}} 50 %": _latency(0.5)},
        unit="s",
    ),
)

_WATCHING = (
    over_time(
        "Since each sensor's last tick",
        "Past the bound a sensor is silent. docs/runbook.md, EmagMonitorSilent.",
        {"{{sensor}}": "max by (sensor) (emag_sync_sensor_age_seconds)", "bound": _bound("silent")},
        width=8,
        unit="s",
    ),
    over_time(
        "Messages to the webhook per hour",
        "Failed ones are sent again; if failures continue, check EMAG_ALERT_WEBHOOK_URL.",
        {"{{outcome}}": "sum by (outcome) (increase(emag_sync_alerts_total[1h]))"},
        width=8,
    ),
    over_time(
        "Duration of a scrape",
        "Time to read the figures from the database; above a second, check the server.",
        {"schema {{revision}}": "max(emag_sync_scrape_seconds) * on () group_left (revision) emag_sync_schema_info"},
        width=8,
        unit="s",
    ),
)

ROWS = {
    "Overall state": _WELL,
    "Accounts": _ACCOUNTS,
    "Syncs": _SYNCS,
    "Offers": _OFFERS,
    "Marketplace": _MARKETPLACE,
    "Monitoring": _WATCHING,
}
