"""What came of a scenario."""

from collections.abc import Sequence
from dataclasses import dataclass

from emag_pipeline.operations.drills.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Result:
    """One played scenario. `lost_rows` and `wrong_deletions` are None where it did not come to a comparison."""

    scenario: Scenario
    observed: str
    said: str
    problems: Sequence[str]
    seconds: float
    lost_rows: int | None = None
    wrong_deletions: int | None = None

    @property
    def ok(self) -> bool:
        """Whether everything was as expected."""
        return not self.problems


def exit_code(results: Sequence[Result]) -> int:
    """0 if every drill went as expected, else 1."""
    return 0 if all(result.ok for result in results) else 1
