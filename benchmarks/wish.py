"""What is wanted of a run of benchmarks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """`spoil`: make it worse on purpose. `scale`: a share of the large catalogues, where time is short."""

    spoil: bool = False
    scale: float = 1.0

    def of(self, offers: int) -> int:
        """So many offers, scaled to full pages."""
        return max(1, round(offers * self.scale / 100)) * 100
