"""A whole load of 50,000 offers and of the same unchanged, beside two other ways of doing it.

The old way: page by page, a pause after each, every row upserted by itself (`old_way.py`). And dlt, a common loader:
REST source, paced, COPY, upsert (`dlt_way.py`), where it is installed: `make bench-dlt`. Both keep one state of each
offer, where this pipeline keeps history and proof. All read the same sandbox at the same allowed rate.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks import processes
from benchmarks.processes import Used
from benchmarks.report import Aim, Outcome
from benchmarks.spoiling import burdened
from benchmarks.surroundings import Fresh, fresh_database, own_environment, rate, unlimited_sandbox, variables
from benchmarks.wish import Wish

NAME = "peers"
SPOILT = "our run burns 150 CPU-seconds and sleeps 5 seconds before it begins."

_OFFERS, _FEW = 50_000, 10
_CALLS_A_SECOND = 25.0
_ROOT = Path(__file__).resolve().parent.parent


def measure(wish: Wish) -> Iterator[Outcome]:
    """Ours, the old way, and dlt's: two loads each."""
    with fresh_database() as fresh, unlimited_sandbox(wish.of(_OFFERS), _FEW) as market:
        given = variables(market, **rate(_CALLS_A_SECOND))
        processes.sync(fresh, market, given, "warm")
        if wish.spoil:
            given = burdened(given, fresh.home, cpu=150, seconds=5)
        ours = _twice(lambda: processes.sync(fresh, market, given))
        yield from _ours(*ours, wish.of(_OFFERS))
        old = _twice(lambda: _old_way(fresh.another("old"), market))
        yield from _beside("the old way", wish.of(_OFFERS), ours, old, (None, None))
        if (python := _dlt()) is None:
            yield Outcome("beside dlt", None, None, "skipped: dlt is not installed (`make bench-dlt`)")
        else:
            theirs = _twice(lambda: _dlt_way(python, fresh.another("dlt"), market))
            yield from _beside("dlt", wish.of(_OFFERS), ours, theirs, (Aim("≤", 1.5), Aim("<", 1)))


def _twice(load: Callable[[], Used]) -> tuple[Used, Used]:
    return load(), load()


def _ours(first: Used, again: Used, offers: int) -> Iterator[Outcome]:
    for what, used in (("first load", first), ("unchanged", again)):
        yield Outcome(f"ours: CPU-seconds, {what}", used.cpu, None, _told(used, offers))
        yield Outcome(
            f"ours: seconds around the scan, {what}", used.around_seconds, Aim("≤", 3), f"{used.seconds:.0f} s in all"
        )


def _beside(
    name: str, offers: int, ours: tuple[Used, Used], theirs: tuple[Used, Used], aims: tuple[Aim | None, Aim | None]
) -> Iterator[Outcome]:
    for what, mine, other, aim in zip(("first load", "unchanged"), ours, theirs, aims, strict=True):
        yield Outcome(
            f"our CPU as a multiple of {name}, {what}", mine.cpu / other.cpu, aim, f"{name}: {_told(other, offers)}"
        )
    details = f"{name}: {theirs[0].seconds:.0f} s and {theirs[1].seconds:.0f} s in all"
    yield Outcome(f"{name}: seconds around its calls, unchanged", theirs[1].around_seconds, None, details)


def _told(used: Used, offers: int) -> str:
    return (
        f"{used.cpu:.1f} = {used.told()}; {used.wal_bytes / offers:,.0f} bytes of WAL a row, {used.calls} calls, "
        f"{used.peak_mebibytes:.0f} MiB"
    )


def _old_way(fresh: Fresh, market: str) -> Used:
    command = [sys.executable, "-m", "benchmarks.old_way", market, _plain(fresh.url), str(_CALLS_A_SECOND)]
    return processes.used_by(command, fresh, market, own_environment())


def _dlt_way(python: str, fresh: Fresh, market: str) -> Used:
    script, directory = str(_ROOT / "benchmarks" / "dlt_way.py"), str(fresh.home / "dlt")
    command = [python, script, market, _address(fresh.url), str(_CALLS_A_SECOND), directory]
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    return processes.used_by(command, fresh, market, own_environment(**quiet))


def _plain(url: str) -> str:
    """The URL without SQLAlchemy's driver."""
    return url.replace("+psycopg2", "")


def _address(url: str) -> str:
    """The URL for dlt, which wants a host before the database."""
    parts = urlsplit(_plain(url))
    socket = parse_qs(parts.query)["host"][0]
    return f"postgresql://postgres:none@localhost{parts.path}?host={socket}"


def _dlt() -> str | None:
    """A Python that has dlt: of EMAG_BENCH_DLT, else of the environment that `make bench-dlt` makes."""
    chosen = Path(os.environ.get("EMAG_BENCH_DLT") or _ROOT / ".venv-dlt" / "bin" / "python")
    return str(chosen) if chosen.exists() else None
