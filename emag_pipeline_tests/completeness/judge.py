"""Plays the scans of a group and adds up what matters."""

import random
from dataclasses import dataclass, field
from typing import Any

from emag_pipeline.sync.completeness import standing_still
from emag_pipeline_tests.completeness.settings import Group, Setting

#: Below this many offers the calls that every sync needs outweigh those for its pages.
_COUNTED_FROM = 1200


@dataclass
class Figures:
    """What was counted in the scans of a group."""

    group: Group
    scans: int = 0
    #: offers that were there throughout and that no read showed, and the scans in which that happened
    missed: int = 0
    scans_with_a_miss: int = 0
    #: of these, those whose proof has a mark
    marked_misses: int = 0
    #: published offers that were there at no moment
    kept: int = 0
    refused: int = 0
    published: int = 0
    #: published scans that missed an offer or kept one
    wrong: int = 0
    marked: int = 0
    #: scans that needed further readings of all pages
    united: int = 0
    #: windows that a chain had to read to join what had come apart
    repairs: int = 0
    resumed: int = 0
    calls: int = 0
    offers: int = 0
    #: calls beyond the chain of a listing that stands still, at most in one scan
    most_over: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def unmarked(self) -> int:
        """Scans with a miss of which the proof says nothing."""
        return self.scans_with_a_miss - self.marked_misses

    @property
    def calls_a_hundred(self) -> float | None:
        """Calls for each hundred offers, in scans of 1,200 offers and more; None where there were none."""
        return self.calls / (self.offers / 100) if self.offers else None

    def against(self) -> list[str]:
        """What should have been 0 and is not."""
        return [
            f"{self.group.name}: {getattr(self, name)} {name}" for name in self.group.expects if getattr(self, name)
        ]


def judge(group: Group, scans: int, seed: str, **more: Any) -> Figures:
    """Play so many scans of the group. The same seed plays the same scans."""
    figures = Figures(group)
    for number in range(scans):
        chance = random.Random(f"{seed}/{group.section}/{group.name}/{number}")
        _add(figures, group.draw(chance), chance, more)
    return figures


def _add(figures: Figures, setting: Setting, chance: random.Random, more: dict[str, Any]) -> None:
    played = setting.play(chance, **more)
    figures.scans += 1
    figures.missed += played.missed
    figures.scans_with_a_miss += played.missed > 0
    figures.marked_misses += played.missed > 0 and played.marked
    figures.kept += played.kept
    figures.wrong += played.missed > 0 or played.kept > 0
    figures.refused += played.refused is not None
    figures.published += played.refused is None
    figures.marked += played.marked
    figures.united += played.scan.readings.number > 1
    figures.repairs += played.scan.chain.repairs if played.scan.chain else 0
    figures.resumed += played.resumed
    if played.offers >= _COUNTED_FROM:
        figures.calls += played.calls
        figures.offers += played.offers
    over = played.calls - sum(1 for _ in standing_still(played.offers, setting.page_size))
    figures.most_over = max(figures.most_over, over)
