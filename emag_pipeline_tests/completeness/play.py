"""Plays one scan: an executor with several calls under way, whose answers are late, lost, out of order or repeated."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from emag_pipeline.sync.completeness import Ask, Complete, PreviousOrder, Read, Refused, ScanDecisions, Situation
from emag_pipeline_tests.completeness.listing import STILL, Listing, Movement
from emag_pipeline_tests.completeness.market import Fails, Market, TooMany

#: A scan that asks for more than this many times the pages there are has lost its way.
_LOST = 25


@dataclass(frozen=True)
class Network:
    """How answers come."""

    under_way: int = 4
    lost: float = 0.0
    repeated: float = 0.0
    #: chance that the process is killed, a scan
    killed: float = 0.0


USUAL = Network()


@dataclass
class Played:
    """What became of a scan."""

    scan: ScanDecisions
    calls: int
    #: of the calls, the reads of single offers
    by_id: int
    offers: int
    missed: int
    kept: int
    resumed: int = 0
    refused: Refused | None = None
    marked: bool = False


class LostItsWay(AssertionError):
    """The decision code neither ends nor says why."""


@dataclass
class _Executor:
    situation: Situation
    known: Sequence[int]
    listing: Listing
    market: Market
    movement: Movement
    network: Network
    chance: random.Random
    scan_of: Callable[[Situation], ScanDecisions] = ScanDecisions
    staged: list[tuple[Read, Sequence[int], int]] = field(default_factory=list)
    resumed: int = 0

    def run(self) -> ScanDecisions:
        scan = self.scan_of(self.situation)
        most = (len(self.listing.ids) // self.situation.page_size + 60) * _LOST
        event_at = self.chance.randrange(max(1, int(len(self.listing.ids) / 85) + 3))
        kill_at = self.chance.randrange(1, 60) if self.chance.random() < self.network.killed else -1
        sent: list[Read] = []
        come: list[tuple[Read, Sequence[int] | None, bool]] = []
        delivered = 0
        while scan.verdict is None:
            while len(sent) + len(come) < self.network.under_way and (action := scan.take()) is not None:
                if isinstance(action, Ask):
                    self._ask(scan, action)
                else:
                    sent.append(action)
            if scan.verdict is not None:
                break
            if not sent and not come:
                raise LostItsWay(f"nothing under way and no verdict: {vars(scan)}")
            if self.market.calls > most:
                raise LostItsWay(
                    f"{self.market.calls} calls: {scan.remainders}, {vars(scan.chain) if scan.chain else ''}"
                )
            if sent and (not come or self.chance.random() < 0.6):
                come.append(self._answer(sent.pop(self.chance.randrange(len(sent)))))
                self.movement.at_random(self.listing, self.chance)
                if event_at == 0:
                    self.movement.once(self.listing, self.chance)
                event_at -= 1
                continue
            read, rows, too_many = come.pop(self.chance.randrange(len(come)))
            if self.chance.random() < self.network.lost:
                sent.append(read)
                continue
            if too_many:
                scan.disobeyed(read)
            elif rows is None:
                scan.failed(read)
            else:
                window = scan.answered(read, rows)
                self.staged.append((read, rows, window.reading))
                if self.chance.random() < self.network.repeated and scan.verdict is None:
                    scan.answered(read, rows)
            delivered += 1
            if delivered == kill_at:
                sent, come, scan = [], [], self._again(scan)
        return scan

    def _again(self, killed: ScanDecisions) -> ScanDecisions:
        if killed.verdict is not None or killed.count_before < 0:
            return killed
        self.resumed += 1
        scan = self.scan_of(self.situation)
        scan.restore(killed.count_before, self.staged)
        return scan

    def _answer(self, read: Read) -> tuple[Read, Sequence[int] | None, bool]:
        try:
            return read, self.market.read(read), False
        except Fails:
            return read, None, False
        except TooMany:
            return read, None, True

    def _ask(self, scan: ScanDecisions, ask: Ask) -> None:
        if ask is Ask.COUNT:
            scan.counted(self.market.count())
        else:
            missing = scan.seen.missing(dict.fromkeys(self.known))
            present = set(self.listing.ids) if missing else set()
            found = [one for one in missing if self.market.has(one, present)]
            scan.confirmed(found, len(missing) - len(found))
        self.movement.at_random(self.listing, self.chance)


def play(
    listing: Listing,
    *,
    chance: random.Random,
    movement: Movement = STILL,
    network: Network = USUAL,
    market: Market | None = None,
    known: Sequence[int] | None = None,
    page_size: int = 100,
    reorders: bool = False,
    ignores_odd_sizes: bool = False,
    scan_of: Callable[[Situation], ScanDecisions] = ScanDecisions,
) -> Played:
    """Scan the listing while it moves. `known`: the offers published before, in the order of that scan."""
    market = market or Market(listing)
    listing.begin()
    situation = Situation(
        page_size=page_size,
        most_offers=max(10_000, 2 * len(listing.ids)),
        previous=PreviousOrder(known) if known is not None else None,
        reorders=reorders,
        ignores_odd_sizes=ignores_odd_sizes,
    )
    executor = _Executor(situation, known or (), listing, market, movement, network, chance, scan_of)
    scan = executor.run()
    refused = scan.verdict if isinstance(scan.verdict, Refused) else None
    marks = scan.verdict.marks if isinstance(scan.verdict, Complete) else ()
    return Played(
        scan=scan,
        calls=market.calls,
        by_id=market.by_id,
        offers=len(listing.initial),
        missed=0 if refused else sum(one not in market.poison for one in scan.seen.missing(listing.throughout())),
        kept=0 if refused else len(_strangers(scan, executor.staged, listing)),
        resumed=executor.resumed,
        refused=refused,
        marked=bool(marks),
    )


def _strangers(scan: ScanDecisions, staged: Sequence[tuple[Read, Sequence[int], int]], listing: Listing) -> list[int]:
    """Offers that would be published although they were there at no moment."""
    shown: set[int] = set()
    for _, rows, _ in staged:
        shown.update(rows)
    return [one for one in shown - listing.were_there() if one in scan.seen]
