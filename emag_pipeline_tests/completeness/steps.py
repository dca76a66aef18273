"""Does what a scan asks for, one call at a time."""

import random
from collections.abc import Sequence
from typing import Any

from emag_pipeline.completeness import Ask, Read, Scan
from emag_pipeline_tests.completeness.listing import Listing
from emag_pipeline_tests.completeness.market import Fails, Market, TooMany


def market_of(ids: Sequence[int] = range(1, 321), **faults: Any) -> Market:
    """A marketplace with these offers, in this order."""
    return Market(Listing("created", random.Random(1), list(ids)), **faults)


def ask(scan: Scan, market: Market, action: Read | Ask, known: Sequence[int] = ()) -> None:
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


def run(scan: Scan, market: Market, known: Sequence[int] = (), stop_after: int | None = None) -> list[Read | Ask]:
    """Do what the scan asks for, until its verdict or so many actions. Returns what it asked for."""
    asked: list[Read | Ask] = []
    while len(asked) != stop_after and (action := scan.take()) is not None:
        asked.append(action)
        ask(scan, market, action, known)
    return asked
