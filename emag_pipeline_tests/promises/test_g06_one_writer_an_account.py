"""G6 (the storage's part): two runs never write for one account at once, nor can one that lost its lease."""

import threading

import pytest

from emag_pipeline.db import audit, publish, staging
from emag_pipeline.db.engine import Database
from emag_pipeline.errors import AnotherSyncRunning, LeaseLost
from emag_pipeline_tests.db.offers import PageOf, offer
from emag_pipeline_tests.db.syncs import begin, rows, stage


def test_g6_after_a_takeover_the_old_run_can_neither_stage_nor_publish(database: Database) -> None:
    old = begin(database, run_id="old")
    stage(database, old, [offer(1)])
    audit.accept(database, old, {})
    new = begin(database, run_has_ended=lambda run: run == "old")
    for write in (
        lambda: staging.stage_pages(database, old, 1, [PageOf(2, [offer(2)])]),
        lambda: publish.publish(database, old),
        lambda: audit.accept(database, old, {}),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert new.sync_id == old.sync_id
    assert rows(database, "SELECT emag_offer_id FROM {schema}.emag_product_offers") == []


def test_g6_of_two_runs_that_begin_at_once_one_writes(database: Database) -> None:
    gate, outcomes = threading.Barrier(2), []

    def run() -> None:
        gate.wait()
        try:
            stage(database, begin(database), [offer(1)])
            outcomes.append("staged")
        except AnotherSyncRunning:
            outcomes.append("refused")

    runs = [threading.Thread(target=run) for _ in range(2)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert sorted(outcomes) == ["refused", "staged"]
