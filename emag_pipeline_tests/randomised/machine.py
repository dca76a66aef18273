"""The rules: what a seller, a network, a scheduler and a power cut may do, in any order."""

import itertools
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.errors import AnotherSyncRunning, LeaseLost, RefusedError
from emag_pipeline.sync.context import Progress, SyncContext
from emag_pipeline_tests.randomised.choices import BLOCKS, CALLS, EDITS, FAILURES, PAGES, POISON, TRICKS
from emag_pipeline_tests.randomised.moments import ACCOUNT, Poison
from emag_pipeline_tests.randomised.world import WHOLE_RUN, World
from emag_pipeline_tests.sync.syncs import rows

#: drift that changes which offers there are, not what they say
_MOVES_ROWS = frozenset({"departure", "arrival"})
#: where an offer departs, and where another one arrives
_PLACES = st.tuples(st.integers(0, 249), st.sampled_from(["end", "front"]))


class Marketplace(RuleBasedStateMachine):
    """A catalogue that lives, an API that fails, and runs that do not come to their end."""

    cluster: ClassVar[EmbeddedServer]
    template: ClassVar[str]

    @initialize(
        offers=st.sampled_from([60, 100, 130, 250]),
        order=st.sampled_from(["id", "id_desc", "shuffled"]),
        seed=st.integers(1, 5),
        is_published=st.sampled_from([True, True, False]),
    )
    def open(self, offers: int, order: str, seed: int, is_published: bool) -> None:
        self.world = World(self.cluster, self.template, offers=offers, order=order, seed=seed)
        self.market = self.world.market
        self.removed: list[int] = []
        self.abandoned: list[tuple[SyncContext, int]] = []
        if is_published:
            self.run([])

    def teardown(self) -> None:
        """Every example ends with a quiet hour."""
        if not hasattr(self, "world"):
            return
        try:
            if self.settle():
                self._assert_repetition_is_free()
        finally:
            self.world.close()

    def _block(self, block: tuple[int, int]) -> list[int]:
        ids, (start, number) = self.market.ids(ACCOUNT), block
        return ids[start % len(ids) :][:number] if ids else []

    # The seller and the marketplace -----------------------------------------------------------------------------
    @rule(block=BLOCKS, fields=EDITS)
    def edit(self, block: tuple[int, int], fields: dict[str, Any]) -> None:
        for offer_id in self._block(block):
            self.market.edit(ACCOUNT, offer_id, **fields)
        self.world.note()

    @rule(number=st.sampled_from([1, 3, 40]), place=st.sampled_from(["end", "front"]))
    def arrive(self, number: int, place: Any) -> None:
        self.market.add(ACCOUNT, number, place=place)
        self.world.note()

    @rule(block=BLOCKS)
    def depart(self, block: tuple[int, int]) -> None:
        gone = self._block(block)
        self.market.remove(ACCOUNT, gone)
        self.removed += gone
        self.world.note()

    @rule(block=BLOCKS, counted=st.booleans())
    def hide(self, block: tuple[int, int], counted: bool) -> None:
        self.market.hide(ACCOUNT, self._block(block), counted=counted)
        self.world.note()

    @rule(number=st.integers(1, 20))
    def show_again(self, number: int) -> None:
        hidden = self.market.command("truth", {"account": ACCOUNT, "ids": True})["hidden"]
        self.market.show(ACCOUNT, (hidden + self.removed)[:number])
        self.world.note()

    @rule(days=st.sampled_from([0.5, 3, 20]), changes=st.sampled_from([0, 5, 40]))
    def trade(self, days: float, changes: int) -> None:
        self.market.advance(days=days, changes=changes)
        self.world.note()

    # What goes wrong on the way ---------------------------------------------------------------------------------
    @rule(fault=FAILURES, where=CALLS)
    def fail_once(self, fault: dict[str, Any], where: dict[str, Any]) -> None:
        self.market.add_fault(**fault, **where, count=1)
        self.world.note()

    @rule(trick=TRICKS)
    def mislead(self, trick: dict[str, Any]) -> None:
        """Arm a fault; of those whose pairs nobody could see through, the latest takes the place of the one before."""
        for fault in self.market.faults():
            if _is_one_too_many(fault, trick):
                self.market.clear_faults(fault["id"])
        self.market.add_fault(**trick, count=1)
        self.world.note()

    @rule(kind=POISON, start=st.integers(0, 249), number=st.integers(1, 3))
    def poison(self, kind: str | None, start: int, number: int) -> None:
        chosen = self._block((start, number))
        self.world.spoil(Poison(kind, frozenset(chosen)) if kind and chosen else None)

    @precondition(lambda self: self.world.is_unfinished)
    @rule()
    def lose_staging(self) -> None:
        self.world.lose_staging()

    # Runs -------------------------------------------------------------------------------------------------------
    @rule(tricks=st.lists(TRICKS, max_size=2))
    def run(self, tricks: list[dict[str, Any]]) -> None:
        for trick in tricks:
            self.mislead(trick)
        self.world.attempt(*WHOLE_RUN)

    @rule(size=st.sampled_from([100, 20, 10, 50, 5]), every=st.integers(1, 4), places=st.lists(_PLACES, min_size=1))
    def run_while_it_moves(self, size: int, every: int, places: list[tuple[int, Any]]) -> None:
        """One offer departs and one arrives with every few pages, at any place."""
        self.world.attempt_while_it_moves(itertools.cycle(places), size=size, every=every)

    @rule(page=PAGES)
    def run_until_refused(self, page: int) -> None:
        fault = self.market.add_fault("wrong_credentials", resource="product_offer/read", pages=[page], count=1)
        self.world.note()
        self.world.attempt(*WHOLE_RUN)
        self.market.clear_faults(fault)

    @rule(steps=st.integers(1, 2))
    def run_and_die_between_steps(self, steps: int) -> None:
        self._run_and_die(steps)

    def _run_and_die(self, steps: int) -> None:
        dead = self.world.context()
        self.world.attempt(*WHOLE_RUN[:steps], context=dead)
        if steps < len(WHOLE_RUN):
            self.abandoned.append((dead, steps))

    @rule(page=PAGES)
    def run_and_be_killed_on_a_page(self, page: int) -> None:
        fault = self.market.add_fault("hang", resource="product_offer/read", pages=[page], count=1)
        self.world.note()
        self.world.attempt_and_kill(lambda: self._has_happened(fault))
        self.market.clear_faults(fault)

    @rule(calls=st.integers(1, 9))
    def run_and_be_killed(self, calls: int) -> None:
        made = self.market.stats(ACCOUNT)["requests"]
        self.world.attempt_and_kill(lambda: self.market.stats(ACCOUNT)["requests"] >= made + calls)

    def _has_happened(self, fault: int) -> bool:
        return any(one["id"] == fault and one["done"] for one in self.market.faults())

    @rule(page=st.integers(1, 3), steps=st.integers(1, 3))
    def run_and_be_overtaken(self, page: int, steps: int) -> None:
        """Another run takes the lease while this one reads, and may die with it."""
        pages_done = 0

        def overtake(_: Progress) -> None:
            nonlocal pages_done
            pages_done += 1
            if pages_done == page:
                self._run_and_die(steps)

        error = self.world.attempt(*WHOLE_RUN, context=replace(self.world.context(), report=overtake))
        assert pages_done < page or error is not None

    @precondition(lambda self: self.abandoned)
    @rule(has_crashed=st.booleans())
    def come_back_from_the_dead(self, has_crashed: bool) -> None:
        """A run that everybody took for dead goes on; it may only if nobody else has begun."""
        if has_crashed:
            self.world.lose_staging()
        ghost, steps = self.abandoned.pop()
        held = self.world.holder() == ghost.run_id
        error = self.world.attempt(*WHOLE_RUN[steps:], context=ghost)
        assert held or isinstance(error, LeaseLost)

    @rule()
    def run_beside_another(self) -> None:
        held = self.world.holder() is not None
        error = self.world.attempt(*WHOLE_RUN, context=self.world.context(others_have_ended=False))
        assert isinstance(error, AnotherSyncRunning) == held

    @precondition(lambda self: self.world.awaits_approval)
    @rule()
    def approve(self) -> None:
        try:
            self.world.approve()
        except RefusedError:
            assert self.world.has_lost_staging
        self.world.attempt(*WHOLE_RUN)

    @rule()
    def settle_in_between(self) -> None:
        self.settle()

    def settle(self) -> bool:
        """In a quiet hour, an undisturbed sync comes at the latest after two others. Returns whether it published."""
        self.world.end_faults()
        for _ in range(3):
            error = self.world.attempt(*WHOLE_RUN)
            if len(self.world.during(self.world.newest_sync().sync_id)) == 1:
                break
        else:
            raise AssertionError("no sync of its own came in a quiet hour")
        self._assert_settled(error)
        return error is None

    def _assert_settled(self, error: Exception | None) -> None:
        world = self.world
        if world.must_be_refused(world.now):
            assert isinstance(error, RefusedError)
        else:
            assert error is None

    def _assert_repetition_is_free(self) -> None:
        history = "SELECT count(*) FROM emag_offer_history"
        before = rows(self.world.database, history)
        self.world.attempt(*WHOLE_RUN)
        sync = self.world.newest_sync()
        assert (sync.offers_created, sync.offers_updated, sync.offers_deleted) == (0, 0, 0)
        assert rows(self.world.database, history) == before


def _is_one_too_many(fault: dict[str, Any], trick: dict[str, Any]) -> bool:
    """Two equal lies about the count are no lie any more; of two moves of one offer, nobody sees what lies between."""
    if fault["kind"] != trick["kind"]:
        return False
    return fault["kind"] == "count_lies" or (
        fault["kind"] == "drift" and not _MOVES_ROWS & {fault["change"], trick["change"]}
    )
