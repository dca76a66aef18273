"""Does what a scan asks for, one call at a time."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from emag_pipeline.sync.completeness import Ask, Read, ScanDecisions
from emag_pipeline_tests.completeness.listing import Listing
from emag_pipeline_tests.completeness.market import Fails, Market, TooMany

#: What an executor makes durable: reads, their rows, and which reading they belong to.
Durable = list[tuple[Read, Sequence[int], int]]


def market_of(ids: Sequence[int] = range(1, 321), **faults: Any) -> Market:
    """A marketplace with these offers, in this order."""
    return Market(Listing("created", random.Random(1), list(ids)), **faults)


def ask(scan: ScanDecisions, market: Market, action: Read | Ask, known: Sequence[int] = ()) -> None:
    """Do one thing, and tell the scan what became of it. `known`: the offers published before."""
    if action is Ask.COUNT:
        scan.counted(market.count())
    elif action is Ask.CONFIRM:
        missing = scan.seen.missing(known)
        found = [one for one in missing if one in market.listing.ids]
        scan.confirmed(found, len(missing) - len(found))
    elif isinstance(action, Read):
        try:
            scan.answered(action, market.read(action))
        except Fails:
            scan.failed(action)
        except TooMany:
            scan.disobeyed(action)


def run(
    scan: ScanDecisions, market: Market, known: Sequence[int] = (), stop_after: int | None = None
) -> list[Read | Ask]:
    """Do what the scan asks for, until its verdict or so many actions. Returns what it asked for."""
    asked: list[Read | Ask] = []
    while len(asked) != stop_after and (action := scan.take()) is not None:
        asked.append(action)
        ask(scan, market, action, known)
    return asked


def read_durably(
    scan: ScanDecisions, market: Market, is_enough: Callable[[Durable], bool] = lambda _: False
) -> Durable:
    """Do what the scan asks for, until its verdict or `is_enough`. Returns what is durable then."""
    shown: Durable = []
    while not is_enough(shown) and (action := scan.take()) is not None:
        if isinstance(action, Read):
            rows = market.read(action)
            shown.append((action, rows, scan.answered(action, rows).reading))
        else:
            ask(scan, market, action)
    return shown
