"""What the exporter tells, read in a few short statements: nothing here looks through offers, calls or old syncs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emag_pipeline.db import counters
from emag_pipeline.db.accounts import LEFT_ACCOUNTS
from emag_pipeline.db.answer_review import RECENT
from emag_pipeline.db.engine import Database
from emag_pipeline.db.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter as it is stored; `labels` are those that it was raised with."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class AccountGauges:
    """One account now. Ages are in seconds, 0 while nothing runs; what is not known yet is None.

    `status`, pages and `error_class` are those of the account's newest sync. `slots` are the calls that the rate
    budget granted within the last minute.
    """

    account: str
    status: str | None
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
class Figures:
    """Everything of one scrape. `open_incidents` counts them by kind, `revision` is the schema's.

    `surprises` counts the fields that were not as known, by account and kind; where there are none, nothing stands.
    """

    revision: str
    counters: Sequence[Counter]
    accounts: Sequence[AccountGauges]
    sensor_ages: Mapping[str, float]
    open_incidents: Mapping[str, float]
    surprises: Mapping[tuple[str, str], float]
    #: by subject and check: 0 passes, 1 warns, 2 fails; of a check on days the worst day
    checks: Mapping[tuple[str, str], float]
    #: accounts of which offers are kept although they are configured no more
    left: Sequence[str]


#: The newest sync and the newest success each end at the first row of an index.
#: Slots of the last sixty seconds: those of this minute, and of the one before the share that is not yet too old.
_ACCOUNTS = """
    SELECT a.account, s.status, s.error_class, s.pages_expected, coalesce(s.pages_done, 0) AS pages_done,
           CASE WHEN s.status = 'running' THEN extract(epoch FROM clock_timestamp() - s.progressed_at)
                ELSE 0 END::float8 AS progress_age,
           CASE WHEN s.status = 'running' THEN extract(epoch FROM clock_timestamp() - s.heartbeat_at)
                ELSE 0 END::float8 AS heartbeat_age,
           extract(epoch FROM p.completed_at)::float8 AS last_success,
           extract(epoch FROM p.oldest_page_at)::float8 AS oldest_page, p.worked_seconds AS scan_seconds,
           coalesce(c.value, 0) + coalesce(s.total_offers_processed, 0) AS offers_processed,
           coalesce(f.saleable, 0) AS saleable, coalesce(f.offers - f.saleable, 0) AS not_saleable,
           coalesce(f.deleted, 0) AS deleted, coalesce(f.quarantined, 0) AS quarantined,
           CASE b.minute
               WHEN clock.minute THEN b.slots + b.slots_before * (1 - clock.share)
               WHEN clock.minute - interval '1 minute' THEN b.slots * (1 - clock.share)
               ELSE 0 END::float8 AS slots
    FROM unnest(CAST(:accounts AS text[]), CAST(:logins AS text[])) WITH ORDINALITY AS a(account, login, place)
    CROSS JOIN (SELECT date_trunc('minute', now()) AS minute, extract(second FROM now()) / 60 AS share) AS clock
    LEFT JOIN LATERAL (
        SELECT * FROM emag_offer_syncs
        WHERE account_type = a.account ORDER BY sync_number DESC LIMIT 1
    ) AS s ON true
    LEFT JOIN LATERAL (
        SELECT completed_at, oldest_page_at, worked_seconds FROM emag_offer_syncs
        WHERE account_type = a.account AND status = 'completed' ORDER BY sync_number DESC LIMIT 1
    ) AS p ON true
    LEFT JOIN emag_counters c
        ON c.name = :processed AND c.labels = jsonb_build_object('account_type', a.account)
    LEFT JOIN emag_account_figures f ON f.account_type = a.account
    LEFT JOIN emag_rate_budget b ON b.login = a.login
    ORDER BY a.place
"""

#: One document a name: thousands of small ones cost far more to receive and to parse.
_COUNTERS = """
    SELECT name, jsonb_agg(jsonb_build_array(labels, value)) AS stored FROM emag_counters GROUP BY name
"""
_SENSORS = """
    SELECT sensor AS name, extract(epoch FROM clock_timestamp() - ticked_at)::float8 AS value
    FROM emag_sensor_ticks
"""
_INCIDENTS = """
    SELECT kind AS name, count(*) AS value FROM emag_incidents WHERE closed_at IS NULL GROUP BY kind
"""


_CHECKS = """
    SELECT subject, check_name, max(CASE WHEN passed THEN 0 WHEN severity = 'WARN' THEN 1 ELSE 2 END)::float8 AS value
    FROM emag_check_results WHERE subject = ANY(CAST(:subjects AS text[])) GROUP BY 1, 2
"""


def read(
    database: Database, accounts: Mapping[str, str], marketplaces: Sequence[str], timeout_seconds: float
) -> Figures:
    """Read everything in one transaction; no statement may take longer than `timeout_seconds`.

    `accounts` are the names with their logins (`Account.login`).

    Raises DatabaseUnavailable, SchemaMismatch or PermanentError, see `db.failures`.
    """
    with database.transaction(timeout_seconds=timeout_seconds) as tx:
        return Figures(
            revision=tx.run("SELECT version_num FROM emag_alembic_version").scalar_one(),
            counters=_counters(tx),
            accounts=_accounts(tx, accounts),
            sensor_ages=_by_name(tx, _SENSORS),
            open_incidents=_by_name(tx, _INCIDENTS),
            surprises=_surprises(tx, list(accounts)),
            checks=_checks(tx, [*accounts, *marketplaces]),
            left=list(tx.run(LEFT_ACCOUNTS, configured=list(accounts)).scalars()),
        )


def _counters(tx: Transaction) -> list[Counter]:
    rows = tx.run(_COUNTERS)
    return [Counter(row.name, labels, value) for row in rows for labels, value in row.stored]


def _accounts(tx: Transaction, accounts: Mapping[str, str]) -> list[AccountGauges]:
    logins = list(accounts.values())
    rows = tx.run(_ACCOUNTS, accounts=list(accounts), logins=logins, processed=counters.OFFERS_PROCESSED)
    return [AccountGauges(**row._mapping) for row in rows]


def _surprises(tx: Transaction, accounts: Sequence[str]) -> dict[tuple[str, str], float]:
    rows = tx.run(f"SELECT a.account, s.kind, count(*) AS fields {RECENT} GROUP BY 1, 2", accounts=list(accounts))
    return {(row.account, row.kind): row.fields for row in rows}


def _checks(tx: Transaction, subjects: Sequence[str]) -> dict[tuple[str, str], float]:
    return {(row.subject, row.check_name): row.value for row in tx.run(_CHECKS, subjects=list(subjects))}


def _by_name(tx: Transaction, sql: str) -> dict[str, float]:
    return {row.name: row.value for row in tx.run(sql)}
