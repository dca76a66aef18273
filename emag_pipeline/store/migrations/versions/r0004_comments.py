"""What every table and column means: the words of the data dictionary.

Revision: 0004
"""

from emag_pipeline.store.migrations import run_file

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Comment what the earlier migrations left without a comment."""
    run_file("0004_comments.sql")
