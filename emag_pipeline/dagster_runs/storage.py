"""Dagster's storage in PostgreSQL, with fewer connections and catalogue queries (dagster.yaml).

Dagster's own storage opens a connection for each call, and before most calls queries the catalogue for existing
columns and tables: with 32 accounts, 24,000 connections for 200 runs. Calls come in bursts, when steps start and end,
a run is launched, or a sensor ticks. So connections are kept during a burst, shared by all three storages of a
process, and closed while a step works: many concurrent runs need no more connections than before. A connection is
tested before each use, so a restarted server causes no errors.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar, cast

from dagster._core.storage.config import PostgresStorageConfig
from dagster._serdes import ConfigurableClassData
from dagster_postgres import (
    DagsterPostgresStorage,
    PostgresEventLogStorage,
    PostgresRunStorage,
    PostgresScheduleStorage,
)
from dagster_postgres.utils import create_pg_engine, get_token_provider_from_config, pg_url_from_config
from sqlalchemy import Engine, event

# Connections that are used in bursts: kept during one, closed after it.


def close_when_idle(engine: Engine, seconds: float) -> None:
    """Close the engine's pooled connections whenever it has been idle for this many seconds."""
    event.listen(engine, "checkin", _Watch(engine, seconds).used)


class _Watch:
    """Runs one thread per burst, which ends with it."""

    def __init__(self, engine: Engine, seconds: float) -> None:
        self._engine = engine
        self._seconds = seconds
        self._lock = threading.Lock()
        self._last = 0.0
        self._is_watched = False

    def used(self, *_: Any) -> None:
        """Called when a connection is returned to the pool."""
        with self._lock:
            self._last = time.monotonic()
            if self._is_watched:
                return
            self._is_watched = True
        with suppress(RuntimeError):  # the process is ending, and its connections with it
            threading.Thread(target=self._close, name="idle connections", daemon=True).start()

    def _close(self) -> None:
        while (left := self._left()) > 0:
            time.sleep(left)
        self._engine.dispose()

    def _left(self) -> float:
        with self._lock:
            left = self._last + self._seconds - time.monotonic()
            self._is_watched = left > 0
            return left


#: Connections kept, for as many threads as use it concurrently; further ones are closed after use.
_KEPT, _MORE = 4, 20
_IDLE_SECONDS = 1.0

Asks = TypeVar("Asks", bound=Callable[..., Any])


def _remembered(ask: Asks) -> Asks:
    """Ask only until the answer is yes, since a table or column that a migration added stays."""
    name = ask.__name__

    @wraps(ask)
    def asked_once(storage: Any, *given: Any) -> Any:
        known: set[tuple[Any, ...]] = storage.__dict__.setdefault("_known", set())
        if (name, *given) not in known:
            if not ask(storage, *given):
                return False
            known.add((name, *given))
        return True

    return asked_once  # type: ignore[return-value]


class _Runs(PostgresRunStorage):
    has_run_stats_index_cols = _remembered(PostgresRunStorage.has_run_stats_index_cols)
    has_bulk_actions_selector_cols = _remembered(PostgresRunStorage.has_bulk_actions_selector_cols)
    has_backfill_id_column = _remembered(PostgresRunStorage.has_backfill_id_column)
    has_bulk_action_job_name_column = _remembered(PostgresRunStorage.has_bulk_action_job_name_column)
    has_backfill_tags_table = _remembered(PostgresRunStorage.has_backfill_tags_table)


class _Events(PostgresEventLogStorage):
    has_table = _remembered(PostgresEventLogStorage.has_table)
    has_asset_key_col = _remembered(PostgresEventLogStorage.has_asset_key_col)


class _Schedules(PostgresScheduleStorage):
    has_instigators_table = _remembered(PostgresScheduleStorage.has_instigators_table)
    has_secondary_index_table = _remembered(PostgresScheduleStorage.has_secondary_index_table)
    has_built_index = _remembered(PostgresScheduleStorage.has_built_index)


class Storage(DagsterPostgresStorage):
    """Like `dagster_postgres.DagsterPostgresStorage`, with the same configuration (`postgres_url` and so on)."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
        token_provider: Any = None,
    ) -> None:
        # not DagsterPostgresStorage's own __init__, which would create three unused storages
        super(DagsterPostgresStorage, self).__init__()  # type: ignore[no-untyped-call]
        self.postgres_url = postgres_url
        self.should_autocreate_tables = should_autocreate_tables
        self._inst_data = inst_data
        self._run_storage = _Runs(postgres_url, should_autocreate_tables, token_provider=token_provider)
        self._event_log_storage = _Events(postgres_url, should_autocreate_tables, token_provider=token_provider)
        self._schedule_storage = _Schedules(postgres_url, should_autocreate_tables, token_provider=token_provider)
        engine = create_pg_engine(
            postgres_url,
            token_provider,
            isolation_level="AUTOCOMMIT",
            pool_size=_KEPT,
            max_overflow=_MORE,
            pool_pre_ping=True,
        )
        close_when_idle(engine, _IDLE_SECONDS)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = engine

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> "Storage":
        """Called by Dagster with the configuration of dagster.yaml."""
        config = cast(PostgresStorageConfig, config_value)
        return cls(
            pg_url_from_config(config),
            bool(config.get("should_autocreate_tables", True)),
            inst_data,
            get_token_provider_from_config(config),
        )
