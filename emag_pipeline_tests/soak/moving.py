"""`python -m emag_pipeline_tests.soak.moving [--every SECONDS …] [--minutes N] [--offers N] [--report FILE]`

A catalogue of which one offer arrives and one departs every few seconds, at places drawn by chance, refreshed without a
pause at the marketplace's own limits. Every sync has to be published, and to hold what it promises
(docs/completeness.md): every offer that was there throughout, none that was there at no moment. Exit code 0 then.
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.errors import PipelineError
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.syncs import rows

_ACCOUNT = "main"
_LIMITS = {"EMAG_API_REQUESTS_PER_SECOND": "3", "EMAG_API_REQUESTS_PER_MINUTE": "180"}


class _Catalogue:
    """The listing that moves, and which offers it held from when to when."""

    def __init__(self, market: SandboxServer, chance: random.Random) -> None:
        self._market, self._chance = market, chance
        self._ids = market.ids(_ACCOUNT)
        self._came: dict[int, float] = dict.fromkeys(self._ids, 0.0)
        self._left: dict[int, float] = {}
        self._stop = threading.Event()

    @contextmanager
    def moving(self, every_seconds: float) -> Iterator[None]:
        """One departs and one arrives every so many seconds, as long as this lasts."""
        self._stop.clear()
        mover = threading.Thread(target=self._move, args=(every_seconds,))
        mover.start()
        try:
            yield
        finally:
            self._stop.set()
            mover.join()

    def there_throughout(self, began: float, ended: float) -> set[int]:
        """Offers that had come before and had not left until after."""
        return {one for one, came in self._came.items() if came < began and self._left.get(one, ended) >= ended}

    def there_at_no_moment(self, began: float, ended: float) -> set[int]:
        """Offers that had left before or came after."""
        return {one for one, came in self._came.items() if came > ended or self._left.get(one, began) < began}

    def moves(self, began: float, ended: float) -> int:
        """How many came and left meanwhile."""
        return sum(began <= one <= ended for one in (*self._came.values(), *self._left.values()))

    def _move(self, every_seconds: float) -> None:
        while not self._stop.wait(every_seconds):
            gone = self._ids.pop(self._chance.randrange(len(self._ids)))
            self._market.remove(_ACCOUNT, [gone])
            self._left[gone] = time.time()
            began = time.time()
            arrived = self._market.add(_ACCOUNT, place=self._chance.choice(["end", "front"]))
            self._ids += arrived
            self._came.update(dict.fromkeys(arrived, began))


@dataclass(frozen=True, slots=True)
class _Sync:
    """A sync beside what is true. `error` is empty where it was published."""

    every_seconds: float
    seconds: float
    calls: int
    moves: int
    missed: int
    wrongly_kept: int
    error: str


def main() -> int:
    """Soak, print, and say whether every sync was published and right."""
    asked = _arguments()
    syncs: list[_Sync] = []
    with (
        ScratchServer.opened({}) as server,
        SandboxServer(accounts={_ACCOUNT: asked.offers}) as market,
        closing(Database(server.url("emag"), pool_size=8)) as database,
    ):
        migrate.upgrade(database)
        catalogue = _Catalogue(market, random.Random(asked.seed))
        for every_seconds in asked.every:
            until = time.monotonic() + 60 * asked.minutes
            with catalogue.moving(every_seconds):
                while time.monotonic() < until:
                    syncs.append(_sync(database, market, catalogue, every_seconds))
    text = "\n".join(_report(asked.offers, asked.seed, syncs))
    print(text)
    if asked.report:
        asked.report.write_text(text + "\n")
    return int(any(one.error or one.missed or one.wrongly_kept for one in syncs) or not all(one.moves for one in syncs))


def _sync(database: Database, market: SandboxServer, catalogue: _Catalogue, every_seconds: float) -> _Sync:
    error = ""
    market.reset_stats()
    began = time.time()
    try:
        refresh(context_for(database, market.url, _ACCOUNT, **_LIMITS))
    except (PipelineError, AssertionError) as problem:
        error = str(problem) or type(problem).__name__
    ended = time.time()
    stats = market.stats(_ACCOUNT)
    if stats["over_limit"]:
        error = f"{stats['over_limit']} calls over the limit. {error}"
    listed = rows(database, "SELECT emag_offer_id AS id FROM emag_product_offers WHERE deleted_at IS NULL")
    published = {one.id for one in listed}
    done = _Sync(
        every_seconds=every_seconds,
        seconds=ended - began,
        calls=stats["requests"],
        moves=catalogue.moves(began, ended),
        missed=len(catalogue.there_throughout(began, ended) - published),
        wrongly_kept=len(catalogue.there_at_no_moment(began, ended) & published),
        error=error,
    )
    print(done, file=sys.stderr, flush=True)
    return done


def _report(offers: int, seed: int, syncs: Sequence[_Sync]) -> Iterator[str]:
    yield f"## A catalogue of {offers:,} offers that never stands still, seed {seed}"
    yield ""
    yield (
        "By `make moving`: one offer arrives and one departs every few seconds, at "
        "places drawn by chance; one sync after the other, at the marketplace's own limits."
    )
    yield ""
    yield "| every | syncs | published | moves a sync | calls a sync | seconds a sync | missed | wrongly kept |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for every in dict.fromkeys(one.every_seconds for one in syncs):
        those = [one for one in syncs if one.every_seconds == every]
        number = len(those)
        yield (
            f"| {every:g} s | {number} | {sum(not one.error for one in those)} | "
            f"{sum(one.moves for one in those) / number:.1f} | {sum(one.calls for one in those) / number:.1f} | "
            f"{sum(one.seconds for one in those) / number:.1f} | {sum(one.missed for one in those)} | "
            f"{sum(one.wrongly_kept for one in those)} |"
        )
    for one in syncs:
        if one.error:
            yield f"\n{one.every_seconds:g} s: {one.error}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emag_pipeline_tests.soak.moving")
    parser.add_argument("--every", type=float, nargs="+", default=[5.0, 1.5], metavar="SECONDS")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each of these")
    parser.add_argument("--offers", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
