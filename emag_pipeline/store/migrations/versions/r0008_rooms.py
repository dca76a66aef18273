"""Staging is given back: each account has tables of its own there, which are emptied at once.

Revision: 0008
"""

from emag_pipeline.store.migrations import run_file

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Divide staging by account, and say in comments what is true."""
    run_file("0008_rooms.sql")
    run_file("0008_comments.sql")
