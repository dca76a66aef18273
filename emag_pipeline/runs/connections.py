"""Dagster's connections to its database, in a process that executes a run.

Dagster's storages make a connection for each call, some four hundred a run, and each costs both sides some
milliseconds of work. Its calls come in bursts, where steps begin and end: a run's process keeps connections within
one, and none while a step works, so that many runs at once need no more of them than before. Before each use it is
asked whether the connection still answers: a server that was started again meanwhile is met as before.
"""

from weakref import WeakSet

import dagster as dg
from dagster_postgres import PostgresEventLogStorage, PostgresRunStorage
from dagster_postgres.utils import create_pg_engine

from emag_pipeline.db.idle import close_when_idle

_KEPT = 1
#: Beside it, for calls within calls; closed after use.
_MORE = 20
_IDLE_SECONDS = 1.0

_keeping: "WeakSet[PostgresRunStorage | PostgresEventLogStorage]" = WeakSet()


def keep(instance: dg.DagsterInstance) -> None:
    """Let this process's instance keep its connections; one that stores elsewhere than in PostgreSQL is left alone."""
    for storage in (instance.run_storage, instance.event_log_storage):
        if isinstance(storage, PostgresRunStorage | PostgresEventLogStorage) and storage not in _keeping:
            storage._engine = create_pg_engine(
                storage.postgres_url,
                storage._token_provider,
                isolation_level="AUTOCOMMIT",
                pool_size=_KEPT,
                max_overflow=_MORE,
                pool_pre_ping=True,
            )
            close_when_idle(storage._engine, _IDLE_SECONDS)
            _keeping.add(storage)
