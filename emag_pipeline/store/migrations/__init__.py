"""Schema changes, one numbered file each; run by `emag_pipeline.store.migrate`."""

from pathlib import Path

from alembic import context, op

VERSIONS = Path(__file__).parent / "versions"


def run_file(name: str) -> None:
    """Execute a migration's SQL file; `{schema}` in it is replaced by the configured schema."""
    schema = context.config.attributes["schema"]
    sql = (VERSIONS / name).read_text(encoding="utf-8").replace("{schema}", f'"{schema}"')
    # with no_parameters the driver does not interpret percent signs
    op.get_bind().exec_driver_sql(sql, execution_options={"no_parameters": True})
