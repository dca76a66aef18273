"""How much of the allowed rate a scan uses, at a fast and at a slow marketplace, and whether it ever exceeds it."""

import time
from collections.abc import Iterator

from benchmarks.report import Outcome
from benchmarks.surroundings import context, fresh_database, sandbox
from emag_pipeline.db.engine import Database
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline.sync import stage_account

_OFFERS = 12_000
_ALLOWED_A_SECOND = 3.0


def measure() -> Iterator[Outcome]:
    """One scan at 0.1 s and one at 1.5 s latency, at the marketplace's real limits."""
    for latency in (0.1, 1.5):
        with fresh_database() as url, sandbox(_OFFERS, latency_seconds=latency) as market:
            database = Database(url)
            began = time.monotonic()
            staged = stage_account(context(database, market))
            seconds = time.monotonic() - began
            control = SandboxControl(market)
            arrivals = [request["time"] for request in control.requests("main") if request["page"]]
            over = control.stats("main")["over_limit"]
            database.close()
        pace = (len(arrivals) - 1) / (max(arrivals) - min(arrivals)) / _ALLOWED_A_SECOND
        whole = staged.requests / seconds / _ALLOWED_A_SECOND
        yield Outcome(
            f"scan: page reads as a share of the allowed rate, {latency} s latency",
            pace,
            ">= 0.95",
            f"{len(arrivals)} pages; with start and end {whole:.3f} in {seconds:.1f} s; {over} over the limit",
        )
