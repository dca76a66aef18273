"""Alembic's entry point: runs the migrations on the connection and in the transaction of `store.migrate`."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    version_table="emag_alembic_version",
    version_table_schema=context.config.attributes["schema"],
)
context.run_migrations()
