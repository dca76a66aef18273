"""The marketplace as it really answers: more columns, unreadable fields, surprises, scans by position.

Revision: 0005
"""

from emag_pipeline.store.migrations import run_file

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what accounts were seen to answer, and let the next sync take over published offers without a new state."""
    run_file("0005_market.sql")
    run_file("0005_published.sql")
