"""Which Dagster instance this is, so that no other one judges its runs.

Dagster 1.13.27 draws an id for its run storage when it is asked first, and keeps it there (`get_run_storage_id`): an
emptied database gets another one. A copy of the database has it too, and knows the same runs, as they were when it was
taken; so the place where the id is kept counts as well.
"""

from uuid import UUID, uuid5

from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster_postgres import PostgresRunStorage

from emag_pipeline.db.engine import Database
from emag_pipeline.db.server import incarnation
from emag_pipeline.runs.instance import Instance

#: Where Dagster keeps its id.
_TABLE = "instance_info"


def identity_of(instance: Instance) -> str | None:
    """The instance's id, other than that of any copy, or of what stood in its database before; None if it has none.

    Raises DatabaseUnavailable when Dagster's database cannot be asked.
    """
    storage = instance.run_storage
    if not isinstance(storage, SqlRunStorage):
        return None
    storage.get_run_storage_id()
    own = storage.get_run_storage_id()  # again: of two that were drawn at once, all read the same one
    if not isinstance(storage, PostgresRunStorage):
        return own
    database = Database(storage.postgres_url, pool_size=1)
    try:
        return str(uuid5(UUID(own), incarnation(database, _TABLE)))
    finally:
        database.close()
