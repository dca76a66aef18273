"""Sensor ticks, incidents, and the sums of an account: what monitoring reads.

Revision: 0002
"""

from emag_pipeline.store.migrations import run_file

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the three tables and count what is published already."""
    run_file("0002_monitoring.sql")
