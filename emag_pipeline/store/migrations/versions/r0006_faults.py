"""What was found from outside: texts of any length, who runs a sync, check results.

Revision: 0006
"""

from emag_pipeline.store.migrations import run_file

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One file a subject."""
    for subject in ("texts", "runs", "checks", "marts", "rights", "order", "rates"):
        run_file(f"0006_{subject}.sql")
