"""The whole schema of design.md, section 5.

Revision: 0001
"""

from emag_pipeline.store.migrations import run_file

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table, the history function and the view of current offers."""
    run_file("0001_offers.sql")
