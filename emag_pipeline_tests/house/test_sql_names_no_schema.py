"""SQL names tables alone, so that it can be pasted into psql: the search path of each transaction is the schema."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[2] / "emag_pipeline"
#: DDL on the schema itself, and restoring, which works on two schemas at once.
_APART = {
    "admin/restore.py", "admin/restore.sql", "store/migrate.py", "store/migrations/__init__.py", "store/reader.sql",
    "store/rights.sql", "store/roles.py", "store/roles.sql", "store/transaction.py",
}  # fmt: skip


def test_only_ddl_and_restoring_name_the_schema() -> None:
    found = {
        str(file.relative_to(_PACKAGE))
        for file in _PACKAGE.rglob("*")
        if file.suffix in (".py", ".sql") and "versions" not in file.parts and "{schema}" in file.read_text("utf-8")
    }
    assert found == _APART
