"""What a scrape of the exporter costs with thirty accounts, a million offers, a month of syncs and a million calls."""

import statistics
import time
import urllib.request
from collections.abc import Iterator

from benchmarks.report import Aim, Outcome
from benchmarks.surroundings import fresh_database
from benchmarks.wish import Wish
from emag_pipeline.monitoring.exporter import Exporter
from emag_pipeline.monitoring.metric_list import REQUEST_ERRORS, REQUESTS
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.request_log import LATENCY_BUCKETS

NAME = "scrape"
SPOILT = "twenty times as many accounts."

_OFFERS = 1_000_000
_CALLS = 1_000_000
_SYNCS_AN_ACCOUNT = 720
_SCRAPES = 50

_FILL = (
    """INSERT INTO emag_product_offers
           (account_type, emag_offer_id, validation_status, translation_validation_status, is_saleable, row_hash,
            first_seen_at, changed_at, last_sync_id)
       SELECT 'account_' || n % 30, n, '{}', '{}', true, '', now(), now(), gen_random_uuid()
       FROM generate_series(1, :offers) n""",
    """INSERT INTO emag_offer_syncs
           (sync_id, account_type, status, phase, lease_token, started_at, completed_at, deadline_at,
            total_offers_processed)
       SELECT gen_random_uuid(), account, 'completed', 'publishing', gen_random_uuid(), at, at, at, 33000
       FROM unnest(CAST(:accounts AS text[])) account,
            LATERAL (SELECT now() - n * interval '1 hour' AS at FROM generate_series(1, :syncs) n) hours""",
    """INSERT INTO emag_requests (sent_at, account_type, resource, outcome, seconds, bytes)
       SELECT now() - n * interval '2 seconds', 'account_' || n % 30, 'product_offer/read', 'ok', 0.3, 300000
       FROM generate_series(1, :calls) n""",
    """INSERT INTO emag_account_figures (account_type, offers, saleable, deleted, quarantined)
       SELECT account_type, count(*), count(*), 0, 0 FROM emag_product_offers GROUP BY account_type""",
    """INSERT INTO emag_counters (name, labels, value)
       SELECT 'emag_sync_requests_total', jsonb_build_object(
           'account_type', account, 'resource', resource, 'outcome', outcome), 12345
       FROM unnest(CAST(:accounts AS text[])) account JOIN unnest(CAST(:resources AS text[])) resource
            ON resource LIKE 'product_offer/%' OR account IN ('account_0', 'account_1', 'account_2'),
            unnest(CAST(:outcomes AS text[])) outcome""",
    """INSERT INTO emag_counters (name, labels, value)
       SELECT 'emag_sync_request_errors_total', jsonb_build_object(
           'account_type', account, 'resource', resource, 'error_class', error), 12345
       FROM unnest(CAST(:accounts AS text[])) account JOIN unnest(CAST(:resources AS text[])) resource
            ON resource LIKE 'product_offer/%' OR account IN ('account_0', 'account_1', 'account_2'),
            unnest(CAST(:errors AS text[])) error""",
    """INSERT INTO emag_counters (name, labels, value)
       SELECT 'emag_sync_request_latency_seconds_bucket', jsonb_build_object(
           'account_type', account, 'resource', resource, 'le', bucket), 12345
       FROM unnest(CAST(:accounts AS text[])) account JOIN unnest(CAST(:resources AS text[])) resource
            ON resource LIKE 'product_offer/%' OR account IN ('account_0', 'account_1', 'account_2'),
            unnest(CAST(:buckets AS text[])) bucket""",
)  # fmt: skip


def measure(wish: Wish) -> Iterator[Outcome]:
    """The median of many scrapes over HTTP, and the worst."""
    accounts = [f"account_{number}" for number in range(600 if wish.spoil else 30)]
    with fresh_database() as fresh:
        database = Database(fresh.url)
        _fill(database, accounts)
        began = time.process_time()
        seconds, size = _scrapes(database, accounts)
        cpu = (time.process_time() - began) / _SCRAPES * 1000
        database.close()
    median, worst = statistics.median(seconds) * 1000, max(seconds) * 1000
    yield Outcome(
        "milliseconds of a scrape, 30 accounts and a million offers",
        median,
        Aim("<", 50),
        f"worst of {_SCRAPES}: {worst:.1f} ms, {cpu:.1f} ms of it at work, {size:,} series",
    )


def _fill(database: Database, accounts: list[str]) -> None:
    values = {
        "offers": _OFFERS,
        "calls": _CALLS,
        "syncs": _SYNCS_AN_ACCOUNT,
        "accounts": accounts,
        "resources": list(REQUESTS.labels["resource"]),
        "outcomes": list(REQUESTS.labels["outcome"]),
        "errors": list(REQUEST_ERRORS.labels["error_class"]),
        "buckets": [*map(str, LATENCY_BUCKETS), "+Inf"],
    }
    with database.transaction() as tx:
        for statement in _FILL:
            tx.run(statement, **{name: value for name, value in values.items() if f":{name}" in statement})
        tx.run("ANALYZE")  # as autovacuum has long done where so much has gathered over time


def _scrapes(database: Database, accounts: list[str]) -> tuple[list[float], int]:
    """Seconds of each scrape, and how many series one has."""
    environ = {
        "EMAG_ACCOUNTS": ",".join(accounts),
        "EMAG_SYNC_METRICS_PORT": "19108",
        "EMAG_SYNC_HEALTH_PORT": "18000",
    }
    exporter = Exporter(load_settings(environ, env_file=None), lambda: database)
    exporter.start()
    seconds = []
    text = b""
    for _ in range(_SCRAPES):
        began = time.monotonic()
        with urllib.request.urlopen(f"{exporter.metrics.url}/metrics") as answer:  # noqa: S310 - our own port
            text = answer.read()
        seconds.append(time.monotonic() - began)
    return seconds, sum(not line.startswith(b"#") for line in text.splitlines())
