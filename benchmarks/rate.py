"""How much of the allowed rate a whole sync of 120 pages uses, start and end included, and whether it exceeds it.

The first publish of 12,000 offers at the marketplace's real limits, 3 calls a second: from taking the account's lease
to the publish. Beside it the share while pages are read.

The pace keeps a safety margin of 3.5 %, since calls that leave evenly do not arrive evenly: 0.966 is the most that can
be reached without calls over the limit. The rest is the calls that have to wait for an answer (the count, the first
page, the end of the listing, the count again: some four times the latency) and the publish, in which nothing is called.
"""

import time
from collections.abc import Iterator

from benchmarks.report import Aim, Outcome
from benchmarks.surroundings import context, fresh_database, sandbox
from benchmarks.wish import Wish
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account

NAME = "rate"
SPOILT = "600 offers; EMAG_SYNC_RATE_SHARE halves what is used, and the sandbox allows 1 call a second, no more."

_OFFERS = 12_000
_ALLOWED_A_SECOND = 3.0


def measure(wish: Wish) -> Iterator[Outcome]:
    """A fast marketplace and a slow one."""
    for latency in (0.1, 1.5):
        yield from _at(latency, spoil=wish.spoil)


def _at(latency: float, *, spoil: bool) -> Iterator[Outcome]:
    a_second, offers = (1.0, _OFFERS // 20) if spoil else (_ALLOWED_A_SECOND, _OFFERS)
    limits = {"requests_per_second": a_second, "requests_per_minute": 60 * a_second, "latency_seconds": latency}
    with fresh_database() as fresh, sandbox(offers, 0, **limits) as url:
        database = Database(fresh.url)
        run = context(database, url, **({"EMAG_SYNC_RATE_SHARE": "0.5"} if spoil else {}))
        began = time.monotonic()
        staged = stage_account(run)
        audit_scan(run)
        publish_scan(run)
        seconds = time.monotonic() - began
        database.close()
        control = SandboxControl(url)
        seen = [one for one in control.requests("main") if one["resource"].startswith("product_offer/")]
        over = control.stats("main")["over_limit"]
    reads = [one["time"] for one in seen if one["page"]]
    pace = (len(reads) - 1) / (max(reads) - min(reads)) / _ALLOWED_A_SECOND
    yield Outcome(
        f"share of the allowed rate over a whole sync, {latency} s latency",
        len(seen) / seconds / _ALLOWED_A_SECOND,
        Aim("≥", 0.97),
        f"{len(seen)} calls in {seconds:.1f} s, of which {staged.seconds:.1f} s until the scan was proven; "
        f"{pace:.3f} from the first page to the last",
    )
    yield Outcome(f"calls refused for their rate, {latency} s latency", over, Aim("≤", 0), f"of {len(seen)}")
