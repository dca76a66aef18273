"""Rows that are written as they were when their offer was published are not read again.

Revision: 0009
"""

from emag_pipeline.store.migrations import run_file

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """How rows were written is remembered, and staging may hold an offer without its columns."""
    run_file("0009_row_digests.sql")
