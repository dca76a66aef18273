"""Calls of a whole sync against the sandbox, by what has happened since the last one.

Counts, windows, closing step and confirmations included, as the sandbox counted them. Before each sync but the first
five offers depart. Where the listing moves, one offer arrives and one departs for every 15 calls while it is read;
five confirmations count there too, however many departed.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.report import Aim, Outcome
from benchmarks.surroundings import context, fresh_database, rate, unlimited_sandbox
from benchmarks.wish import Wish
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.completeness import standing_still
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account

NAME = "calls"
SPOILT = "the sandbox obeys no page size but 100, as a marketplace might: all pages are read twice."

_MOST_A_HUNDRED = {12_000: 1.25, 6_000: 1.35}
_SMALL = 600
_MOST_BEYOND = 8
_DEPARTURES, _ARRIVALS, _CALLS_A_MOVE = 5, 40, 15
_SITUATIONS = ("first publish", "unchanged", "arrivals since the last publish", "one arrives and departs in 15 reads")
_LOOK_SECONDS = 0.02


def measure(wish: Wish) -> Iterator[Outcome]:
    """Four syncs of each of three catalogues."""
    for offers in (*_MOST_A_HUNDRED, _SMALL):
        with fresh_database() as fresh, unlimited_sandbox(offers) as market:
            control = SandboxControl(market)
            database = Database(fresh.url)
            if wish.spoil:
                control.add_fault("too_many_rows", rows=100)
            for number, situation in enumerate(_SITUATIONS):
                yield _told(offers, situation, *_calls(control, database, market, number))
            database.close()


def _calls(control: SandboxControl, database: Database, market: str, number: int) -> tuple[int, int, int]:
    """Calls of a sync, those by id among them, and the offers that there were when it began."""
    chance = random.Random(number)  # noqa: S311 - the same in each run
    if number > 0:
        control.remove("main", chance.sample(control.ids("main"), _DEPARTURES))
    if number == 2:
        control.add("main", _ARRIVALS)
    offers = control.count("main")
    control.reset_stats()
    with _moving(control, chance, is_on=number == 3):
        run = context(database, market, **rate(30))
        stage_account(run)
        audit_scan(run)
        publish_scan(run)
    seen = control.requests("main")
    return len(seen), sum(one["offer_id"] is not None for one in seen), offers


@contextmanager
def _moving(control: SandboxControl, chance: random.Random, *, is_on: bool) -> Iterator[None]:
    """Let one offer arrive and one depart, anywhere in the listing, for every 15 calls within."""
    ended = threading.Event()

    def move() -> None:
        ids = control.ids("main")
        moves = 0
        while not ended.wait(_LOOK_SECONDS):
            while moves < control.stats("main")["requests"] // _CALLS_A_MOVE:
                control.remove("main", [ids.pop(chance.randrange(len(ids)))])
                control.add("main", 1)
                moves += 1

    mover = threading.Thread(target=move)
    if is_on:
        mover.start()
    try:
        yield
    finally:
        ended.set()
        if is_on:
            mover.join()


def _told(offers: int, situation: str, calls: int, by_id: int, there: int) -> Outcome:
    chain = sum(1 for _ in standing_still(there, 100))
    details = f"{calls} calls, {by_id} of them by id, for {there:,} offers; the chain alone takes {chain}"
    calls -= max(0, by_id - _DEPARTURES)
    if offers == _SMALL:
        return Outcome(
            f"{offers} offers, {situation}: calls beyond the chain", calls - chain, Aim("≤", _MOST_BEYOND), details
        )
    bound = Aim("≤", _MOST_A_HUNDRED[offers])
    return Outcome(f"{offers:,} offers, {situation}: calls for each 100", calls / there * 100, bound, details)
