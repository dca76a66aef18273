"""Marts, reference data and accepted deviations: what the data team reads and decides.

Revision: 0003
"""

from emag_pipeline.store.migrations import run_file

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Complete the marts' tables, which nothing has filled yet, and add what they are computed with."""
    run_file("0003_marts.sql")
