"""Everything that is judged."""

from emag_pipeline_tests.completeness.settings import Group, usual
from emag_pipeline_tests.completeness.stories import stories


def groups() -> list[Group]:
    """All groups of scans."""
    return [*usual(), *stories()]
