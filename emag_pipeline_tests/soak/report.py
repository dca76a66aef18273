"""What a soak comes to: syncs, troubles, recoveries, freshness, and the four numbers that must be 0."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from emag_pipeline.drills.judgement import compare
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.published import published_offers
from emag_pipeline_tests.soak.stack import ACCOUNTS, FRESH_SECONDS, Stack
from emag_pipeline_tests.soak.watch import Watch
from emag_pipeline_tests.sync.syncs import rows

#: An offer that was absent for a time: a tombstone, and a revival. The soak itself takes nothing away to bring it back.
_REVIVED = """
    SELECT count(*) AS offers FROM emag_offer_history a
    JOIN emag_offer_history b USING (account_type, emag_offer_id)
    WHERE b.valid_from > a.valid_to AND NOT EXISTS (
        SELECT FROM emag_offer_history c
        WHERE c.account_type = a.account_type AND c.emag_offer_id = a.emag_offer_id
          AND c.valid_from >= a.valid_to AND c.valid_from < b.valid_from)
"""


@dataclass(frozen=True, slots=True)
class Harm:
    """One trouble that happened: when it was over, in seconds since 1970."""

    name: str
    over_at: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The numbers that must be 0."""

    lost: int
    wrongly_deleted: int
    kept: int
    over_limit: int

    @property
    def is_clean(self) -> bool:
        """Whether the soak was passed."""
        return not (self.lost or self.wrongly_deleted or self.kept or self.over_limit)


def judge(stack: Stack, database: Database) -> Verdict:
    """Compare what is published with what the sandbox has, when all is quiet again."""
    found = [compare(published_offers(database, account), stack.market, account) for account in ACCOUNTS]
    revived = rows(database, _REVIVED)[0].offers
    over = sum(stack.market.stats(account)["over_limit"] for account in ACCOUNTS)
    return Verdict(
        lost=sum(len(one.lost) for one in found),
        wrongly_deleted=sum(len(one.wrongly_deleted) for one in found) + int(revived),
        kept=sum(len(one.kept) for one in found),
        over_limit=over,
    )


def recoveries(harms: Sequence[Harm], watch: Watch) -> list[float]:
    """Seconds from the end of each trouble to the publish of each account that came next, whatever came between."""
    found = []
    for harm in harms:
        for account in ACCOUNTS:
            later = [at for name, at in watch.publishes if name == account and at > harm.over_at]
            if later:
                found.append(min(later) - harm.over_at)
    return found


def report(
    stack: Stack, database: Database, watch: Watch, harms: Sequence[Harm], verdict: Verdict, heading: str
) -> Iterator[str]:
    """The report, line by line, as Markdown."""
    recovered = recoveries(harms, watch)
    yield f"# {heading}"
    yield ""
    yield _HOW
    yield ""
    yield from _table("what", "number", _numbers(stack, database, watch, harms, recovered, verdict))
    yield ""
    yield from _table("trouble", "times", sorted(Counter(harm.name for harm in harms).items()))
    yield ""
    ended = rows(database, _ENDINGS)
    yield from _table("how syncs ended", "syncs", [(f"{row.status} {row.error_class}".strip(), row.n) for row in ended])


_HOW = """\
By `make soak`: `emag-pipeline up` with both accounts of the sandbox and the marketplace's own limits, a refresh of each
account every minute, and a fault every three to 25 seconds, several at a time, none of them fixed by a person. When
all is quiet, what is published is compared with the sandbox's truth, column by column."""
_ENDINGS = """
    SELECT status, coalesce(error_class, '') AS error_class, count(*) AS n FROM emag_offer_syncs
    GROUP BY 1, 2 ORDER BY n DESC
"""
_SYNCS = "SELECT count(*) AS syncs, sum(attempt) AS attempts, count(*) FILTER (WHERE attempt > 1 AND status = 'completed') AS resumed FROM emag_offer_syncs"  # noqa: E501
_COUNTERS = "SELECT name, sum(value)::bigint AS value FROM emag_counters GROUP BY name"


def _numbers(
    stack: Stack, database: Database, watch: Watch, harms: Sequence[Harm], recovered: list[float], verdict: Verdict
) -> Iterator[tuple[str, Any]]:
    syncs = rows(database, _SYNCS)[0]
    counters = {row.name: row.value for row in rows(database, _COUNTERS)}
    yield "syncs", syncs.syncs
    yield "attempts", syncs.attempts
    yield "syncs that were completed by a later attempt than their first", syncs.resumed
    yield "troubles", len(harms)
    yield "stuck or dead syncs found by the sensor", counters.get("emag_sync_stuck_syncs_total", 0)
    yield "of these recovered", counters.get("emag_sync_recovered_syncs_total", 0)
    yield "alerts and all-clears that the webhook was told", len(stack.alerts)
    if recovered:
        yield "seconds from a trouble's end to an account's next publish: median", f"{median(recovered):.0f}"
        yield "the same: worst", f"{max(recovered):.0f}"
    yield (
        f"share of time that every account was fresh ({FRESH_SECONDS} s)",
        f"{watch.fresh_samples / watch.samples:.3f}",
    )
    yield "oldest copy of an account, seconds", f"{watch.oldest_seconds:.0f}"
    yield "calls to the marketplace", sum(stack.market.stats(account)["requests"] for account in ACCOUNTS)
    yield "calls over the limit", verdict.over_limit
    yield "lost or wrong offers", verdict.lost
    yield "wrong deletions", verdict.wrongly_deleted
    yield "offers still published that are gone", verdict.kept


def _table(first: str, second: str, lines: Any) -> Iterator[str]:
    yield f"| {first} | {second} |"
    yield "|---|---:|"
    for name, number in lines:
        yield f"| {name} | {number:,} |" if isinstance(number, int) else f"| {name} | {number} |"
