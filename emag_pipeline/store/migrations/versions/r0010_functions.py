"""Names in functions are bound when they are made; comments in plain English.

Revision: 0010
"""

from emag_pipeline.store.migrations import run_file

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Functions mean the same for every search path, and comments say what they describe in standard terms."""
    run_file("0010_functions.sql")
    run_file("0010_comments.sql")
