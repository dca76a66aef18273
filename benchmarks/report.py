"""How a benchmark's outcome is told: the figure, the aim, and what it was measured on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """One measured figure. `details` name the raw numbers behind a ratio."""

    what: str
    figure: float
    aim: str
    details: str

    def line(self) -> str:
        """The outcome as a row of the printed table."""
        return f"{self.what:<62} {self.figure:>8.3f}   aim {self.aim:<9} {self.details}"
