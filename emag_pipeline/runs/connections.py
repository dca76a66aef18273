"""Dagster's connections to its database, in a process that executes a run.

Dagster's storages make a connection for each call, some four hundred a run, and each costs both sides some
milliseconds of work. A run's process keeps one for each storage instead, as Dagster's webserver does, and asks before
each use whether it still answers: a server that was started again meanwhile is met as before.
"""

from weakref import WeakSet

import dagster as dg
from dagster_postgres import PostgresEventLogStorage, PostgresRunStorage
from dagster_postgres.utils import create_pg_engine

_KEPT = 1
#: Beside it, for calls within calls; closed after use.
_MORE = 20

_keeping: "WeakSet[PostgresRunStorage | PostgresEventLogStorage]" = WeakSet()


def keep(instance: dg.DagsterInstance) -> None:
    """Let this process's instance keep its connections; one that stores elsewhere than in PostgreSQL is left alone."""
    for storage in (instance.run_storage, instance.event_log_storage):
        if isinstance(storage, PostgresRunStorage | PostgresEventLogStorage) and storage not in _keeping:
            storage._engine = create_pg_engine(
                storage.postgres_url,
                isolation_level="AUTOCOMMIT",
                pool_size=_KEPT,
                max_overflow=_MORE,
                pool_pre_ping=True,
            )
            _keeping.add(storage)
