"""docs/faults.md is what the drills are."""

from pathlib import Path

from emag_pipeline.drills.document import PATH, rendered

_ROOT = Path(__file__).parents[2]


def test_the_table_of_faults_is_that_of_the_drills() -> None:
    assert (_ROOT / PATH).read_text(encoding="utf-8") == rendered(), "run `python -m emag_pipeline.drills.document`"
