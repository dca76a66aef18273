"""How a benchmark's outcome is told: the figure, its aim, whether it was met, and what it was measured on."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should be: at most, at least, or below a bound."""

    sign: Literal["≤", "≥", "<"]
    bound: float

    def is_met(self, figure: float) -> bool:
        """Whether the figure keeps to it; what is shown is rounded, what is compared is not."""
        if self.sign == "≥":
            return figure >= self.bound
        return figure <= self.bound if self.sign == "≤" else figure < self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One measured figure. `details` name the raw numbers behind it; without an aim it is only told.

    `figure` None: nothing was measured, and `details` say why.
    """

    what: str
    figure: float | None
    aim: Aim | None
    details: str

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, `skipped`, or nothing where there is no aim."""
        if self.figure is None:
            return "skipped"
        if self.aim is None:
            return ""
        return "met" if self.aim.is_met(self.figure) else "MISSED"

    @property
    def shown(self) -> str:
        """The figure, with as many digits as say something."""
        if self.figure is None:
            return "-"
        return f"{self.figure:,.0f}" if abs(self.figure) >= 100 else f"{self.figure:.3g}"

    def line(self) -> str:
        """The outcome as a row of the printed table."""
        return f"{self.what:<66} {self.shown:>7}  {self.aim or ''!s:<7} {self.verdict:<7} {self.details}"

    def row(self) -> str:
        """The outcome as a row of the page's table."""
        verdict = "**missed**" if self.verdict == "MISSED" else self.verdict
        return f"| {self.what} | {self.shown} | {self.aim or ''} | {verdict} | {self.details} |"
