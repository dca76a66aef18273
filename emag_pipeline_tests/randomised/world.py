"""One sandbox, one database, what both have been through, and the judgement after every attempt."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.errors import (
    AccessRefused,
    AnotherSyncRunning,
    ApiUnavailable,
    LeaseLost,
    PipelineError,
    RateLimited,
    RefusedError,
    ScanNotProven,
    StagingLost,
)
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.approval import approve
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.context import Progress, SyncContext
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.databases import administer, drop
from emag_pipeline_tests.randomised import dying
from emag_pipeline_tests.randomised.judgement import OF_ROWS, assert_true, is_certain
from emag_pipeline_tests.randomised.moments import ACCOUNT, Moment, Poison, look
from emag_pipeline_tests.randomised.published import (
    NOTHING,
    Chronicle,
    fingerprint,
    quarantined,
    read_published,
)
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import context_for
from emag_pipeline_tests.sync.syncs import rows

MAX_SHRINK = 0.2
TOLERANCE = 0.05
_ENVIRON = {
    "EMAG_SYNC_MAX_SHRINK": str(MAX_SHRINK),
    "EMAG_SYNC_REJECT_TOLERANCE": str(TOLERANCE),
    "EMAG_SYNC_PROGRESS_INTERVAL": "0.000001",  # a run tells of each page
}
#: faults at the door, one of which may end an attempt where another one came before
_AT_THE_DOOR = frozenset(
    {"server_error", "reset", "truncated_json", "html_200", "is_error", "missing_is_error", "storm_429"}
)
_NEWEST = "SELECT * FROM emag_offer_syncs ORDER BY started_at DESC LIMIT 1"
_HELD_BY = "SELECT dagster_run_id FROM emag_offer_syncs WHERE status = 'running'"
_UNLOGGED = ("emag_scan_pages", "emag_scan_offers", "emag_scan_confirmations", "emag_scan_changes")
#: staging, as the moment in which it was lost shows among the faults
LOST_STAGING = "lost_staging"

_serial = itertools.count(1)


class World:
    """Everything that an example of the state machine does goes through here, and is noted."""

    def __init__(self, cluster: EmbeddedServer, template: str, *, offers: int, order: str, seed: int) -> None:
        self._cluster = cluster
        self._name = f"random_{next(_serial)}"
        administer(cluster, f"CREATE DATABASE {self._name} TEMPLATE {template}")
        self.database = Database(cluster.url(self._name), pool_size=8)
        self.market = unlimited_sandbox(accounts={ACCOUNT: offers}, seed=seed, order=order).start()
        self.poison: Poison | None = None
        self._reorders = order == "shuffled"
        self.state = NOTHING
        self._chronicle = Chronicle()
        self._moments = [look(self.market, None)]
        self._began: dict[UUID, int] = {}
        self._judged: set[UUID] = set()
        self._seen = fingerprint(self.database)

    def close(self) -> None:
        """Stop the sandbox and drop the database."""
        self.market.stop()
        self.database.close()
        drop(self._cluster, self._name)

    @property
    def now(self) -> Moment:
        """What the sandbox says since the last change."""
        return self._moments[-1]

    def note(self, happened: str | None = None) -> None:
        """Look at the sandbox again: something was changed, or a fault armed."""
        moment = look(self.market, self.poison)
        self._moments.append(replace(moment, faults=moment.faults | {happened}) if happened else moment)

    def lose_staging(self) -> None:
        """What a crash of the server leaves of unlogged tables."""
        with self.database.transaction() as tx:
            tx.run("TRUNCATE " + ", ".join(f"{name}" for name in _UNLOGGED))
        self.note(LOST_STAGING)

    def spoil(self, poison: Poison | None) -> None:
        """Poison rows until further notice; only one poison is in force at a time."""
        self.market.clear_faults(kind="poison")
        if poison is not None:
            self.market.add_fault("poison", row=poison.kind, offer_ids=sorted(poison.offer_ids))
        self.poison = poison
        self.note()

    def end_faults(self) -> None:
        """A quiet hour: all faults are over, only poison stays."""
        for fault in self.market.faults():
            if fault["kind"] != "poison":
                self.market.clear_faults(fault["id"])
        self.note()

    def newest_sync(self) -> Any:
        """The ledger's newest row, None before the first sync."""
        return next(iter(rows(self.database, _NEWEST)), None)

    def holder(self) -> str | None:
        """The run that holds the lease."""
        return next(iter(rows(self.database, _HELD_BY)), (None,))[0]

    @property
    def is_unfinished(self) -> bool:
        """Whether the newest sync left something for the next run to go on with."""
        sync = self.newest_sync()
        return sync is not None and sync.status != "completed"

    @property
    def awaits_approval(self) -> bool:
        """Whether the newest sync was refused for a reason that a person may accept."""
        sync = self.newest_sync()
        return sync is not None and sync.error_class == "RefusedError" and "approve" in sync.error_remedy

    @property
    def has_lost_staging(self) -> bool:
        """Whether the server crashed since the newest sync began."""
        return any(LOST_STAGING in moment.faults for moment in self.during(self.newest_sync().sync_id))

    def approve(self) -> None:
        """A person accepts what the audit refused. Raises RefusedError when that cannot be published any more."""
        approve(self.database, self.context().settings, self.newest_sync().sync_id, "a person")

    def context(self, *, others_have_ended: bool = True, **environ: str) -> SyncContext:
        """A new run."""
        variables = {**_ENVIRON, **environ}
        return context_for(self.database, self.market.url, ACCOUNT, run_ended=others_have_ended, **variables)

    def attempt(self, *steps: Callable[[SyncContext], Any], context: SyncContext | None = None) -> PipelineError | None:
        """Let a run do these steps, then judge what came of it. Returns the error that ended it."""
        run = context or self.context()
        return self._watched(lambda: _ended_by(run, steps))

    def attempt_while_it_moves(
        self, places: Iterator[tuple[int, Literal["end", "front"]]], *, size: int, every: int
    ) -> PipelineError | None:
        """Let a run refresh in pages of `size`; with each `every`-th of them one offer departs and one arrives.

        `places` say which one departs, counted in pages' order, and where the other one arrives.
        """
        told = itertools.count(1)

        def move(_: Progress) -> None:
            if next(told) % every:
                return
            place, end = next(places)
            ids = self.market.ids(ACCOUNT)
            self.market.remove(ACCOUNT, ids[place % len(ids) :][:1] if ids else [])
            self.note()
            self.market.add(ACCOUNT, place=end)
            self.note()

        context = replace(self.context(EMAG_API_PAGE_SIZE=str(size)), report=move)
        return self.attempt(*WHOLE_RUN, context=context)

    def attempt_and_kill(self, may_die: Callable[[], bool]) -> None:
        """Let a run in another process refresh, and kill it on the way."""
        url = self._cluster.url(self._name)
        self._watched(lambda: dying.run_and_kill(self.database, url, self.market.url, _ENVIRON, may_die))

    def _watched(self, work: Callable[[], PipelineError | None]) -> PipelineError | None:
        began = len(self._moments) - 1
        error = work()
        if self.now.faults:  # they may have happened, and drift has changed the catalogue
            self.note()
        sync = self.newest_sync()
        if sync is not None:
            self._began.setdefault(sync.sync_id, began)
        if sync is not None and sync.status == "completed" and sync.sync_id not in self._judged:
            self._judge(sync)
        else:
            assert fingerprint(self.database) == self._seen, "something was published without a completed sync"
        if error is not None:
            self._assert_excused(error)
        return error

    def during(self, sync_id: UUID) -> list[Moment]:
        """What the sandbox said since this sync began."""
        return self._moments[self._began[sync_id] :]

    def _judge(self, sync: Any) -> None:
        during, after = self.during(sync.sync_id), read_published(self.database)
        assert_true(self.state, during, after, reorders=self._reorders)
        assert _staged(sync) >= sum(all(one.told.get(known) for one in during) for known in self.state.live)
        if all(one.looks_like(during[0]) and is_certain(one) and not one.is_by_page for one in during):
            self._assert_numbers(sync, during[0])
        self._judged.add(sync.sync_id)
        self._chronicle.remember(sync.completed_at, after)
        self.state, self._seen = after, fingerprint(self.database)
        self._chronicle.assert_told_by(self.database)

    def _assert_numbers(self, sync: Any, moment: Moment) -> None:
        on_pages, by_id = quarantined(self.database, sync.sync_id)
        assert sorted(map(str, on_pages)) == sorted(map(str, moment.rejects))
        assert len(by_id) == len(moment.rejected_by_id(self.state.live))
        assert _staged(sync) == len(moment.readable(self.state.live))

    def _assert_excused(self, error: PipelineError) -> None:
        """Every failure has a cause among the faults, or in what the catalogue did."""
        if isinstance(error, LeaseLost | AnotherSyncRunning):
            return  # the rule that provokes them judges them
        during = self.during(self.newest_sync().sync_id)
        faults = frozenset[str]().union(*(moment.faults for moment in during))
        excuse: bool = {
            AccessRefused: "wrong_credentials" in faults,
            ApiUnavailable: bool(faults & _AT_THE_DOOR),
            RateLimited: "storm_429" in faults,
            StagingLost: self.has_lost_staging,
            ScanNotProven: bool(faults & OF_ROWS),
            RefusedError: len(during) > 1 or self.must_be_refused(during[0]),
        }.get(type(error), False)
        assert excuse, f"without a cause: {error}"

    def must_be_refused(self, moment: Moment) -> bool:
        """Whether a scan of this moment is for a person to decide."""
        return moment.collapsed(self.state.live, MAX_SHRINK) or moment.is_too_bad(self.state.live, TOLERANCE)


def _staged(sync: Any) -> int:
    """How many offers a completed sync has read, by its own account."""
    return int(sync.offers_created + sync.offers_updated + sync.offers_unchanged)


def _ended_by(run: SyncContext, steps: tuple[Callable[[SyncContext], Any], ...]) -> PipelineError | None:
    try:
        for step in steps:
            step(run)
    except PipelineError as error:
        return error
    return None


def stage(run: SyncContext) -> None:
    """A run's first step."""
    stage_account(run)


def audit(run: SyncContext) -> None:
    """A run's second step; a refusal is an error."""
    judged = audit_scan(run)
    if not judged.accepted:
        raise judged.refusal()


def publish(run: SyncContext) -> None:
    """A run's last step."""
    publish_scan(run)


WHOLE_RUN = (stage, audit, publish)
