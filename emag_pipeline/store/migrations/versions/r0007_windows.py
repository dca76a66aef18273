"""Scans read overlapping windows of the listing.

Revision: 0007
"""

from emag_pipeline.store.migrations import run_file

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Staging holds windows, and the order of the listing is kept from scan to scan."""
    run_file("0007_windows.sql")
