"""Calls of a whole sync in four situations: counts, windows, closing step and confirmations of five departures."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean

from emag_pipeline.sync.completeness import standing_still
from emag_pipeline_tests.completeness.listing import STABLE, Movement, Order
from emag_pipeline_tests.completeness.play import Played
from emag_pipeline_tests.completeness.settings import Setting

#: Calls for each hundred offers, by the number of offers.
MOST_A_HUNDRED = {12_000: 1.25, 6_000: 1.35}
#: Below 6,000 offers: calls beyond the chain of a listing that stands still.
MOST_OVER_THE_CHAIN = 8
SMALL = (300, 700, 1_200, 2_500)
SITUATIONS = ("unchanged", "arrivals since the last publish", "one arrives and departs in 15 reads", "first publish")
_DEPARTURES = 5
#: Where the listing moves, 8 are not kept: its end moves too, in every tenth scan or so, and is looked for once more;
#: and where the count leaves arrivals behind the reader while offers are gone, it is compared with that end, in every
#: third. So much more is borne, on average.
MOVING = 1.0


@dataclass(frozen=True)
class Budget:
    """The calls of a situation; `calls` is the mean over its scans, `most` the largest."""

    situation: str
    offers: int
    calls: float
    most: int
    chain: float

    @property
    def a_hundred(self) -> float:
        """Calls for each hundred offers."""
        return self.calls / (self.offers / 100)

    @property
    def is_kept(self) -> bool:
        """Whether the calls stay within what the issue allows."""
        return self._is_within(0)

    @property
    def is_borne(self) -> bool:
        """Whether they do, but for what a listing that moves may cost beyond."""
        return self._is_within(MOVING if self.situation == SITUATIONS[2] else 0)

    def _is_within(self, more: float) -> bool:
        if self.offers in MOST_A_HUNDRED:
            return self.a_hundred <= MOST_A_HUNDRED[self.offers]
        return self.calls <= self.chain + MOST_OVER_THE_CHAIN + more


def budgets(
    scans: int = 3, orders: tuple[Order, ...] = STABLE, sizes: tuple[int, ...] = (*MOST_A_HUNDRED, *SMALL)
) -> Iterator[Budget]:
    """Play each situation at each size, so many scans for each order.

    Five confirmations are counted in each, also where more offers departed while the listing was read.
    """
    for offers in sizes:
        for situation in SITUATIONS:
            played = [_play(situation, offers, order, number) for order in orders for number in range(scans)]
            calls = [one.calls - one.by_id + (0 if situation == SITUATIONS[3] else _DEPARTURES) for one in played]
            windows = mean(sum(1 for _ in standing_still(one.offers, 100)) for one in played)
            yield Budget(situation, offers, mean(calls), max(calls), windows)


def _play(situation: str, offers: int, order: Order, number: int) -> Played:
    chance = random.Random(f"budget/{situation}/{offers}/{order}/{number}")
    setting = Setting(
        order,
        offers,
        movement=Movement(1 / 15, 1 / 15) if situation == SITUATIONS[2] else Movement(),
        is_first=situation == SITUATIONS[3],
        departed=_DEPARTURES,
        arrived=40 if situation == SITUATIONS[1] else 0,
    )
    return setting.play(chance)
