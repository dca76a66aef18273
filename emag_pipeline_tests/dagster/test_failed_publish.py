"""A publish or an audit that fails for good is not repeated from the same staged pages: the next run begins anew."""

from uuid import UUID

import dagster as dg
import pytest

from emag_pipeline import dagster_runs
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.dagster.runs import Run
from emag_pipeline_tests.sync.syncs import execute, rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

_LONG = "X" * 6_000
#: What the database refuses, as it would any text that does not fit: a whole publish for one offer.
_REFUSALS = {
    "publishing": "ALTER TABLE emag_product_offers ADD CONSTRAINT refused CHECK (length(part_number) < 6000)",
    "auditing": """
        ALTER TABLE emag_offer_syncs ADD CONSTRAINT refused
        CHECK (phase <> 'publishing' OR (proof ->> 'rows')::bigint <> 320)
    """,
}


def _newest(database: Database) -> tuple[UUID, int, str, str, str]:
    ((*row,),) = rows(
        database,
        """SELECT sync_id, attempt, status, phase, error_class FROM emag_offer_syncs
           ORDER BY started_at DESC LIMIT 1""",
    )
    return tuple(row)


def _pages_read(market: SandboxServer) -> int:
    return len([request for request in market.requests("main") if request["page"]])


@pytest.mark.parametrize("phase", _REFUSALS)
def test_five_runs_read_five_times_and_the_sixth_publishes_what_was_corrected(
    phase: str, market: SandboxServer, database: Database, run: Run, instance: dg.DagsterInstance
) -> None:
    offer_id = market.ids("main")[7]
    market.edit("main", offer_id, part_number=_LONG)
    execute(database, _REFUSALS[phase])
    seen = set()
    for _ in range(5):
        market.reset_stats()
        result = run("main")
        assert dagster_runs.exit_code(instance, result.run_id) == 5
        sync_id, attempt, *how = _newest(database)
        assert how == ["failed", phase, "PermanentError"]
        assert attempt == 1
        assert _pages_read(market) >= 5, "four pages and the one behind the last"
        seen.add(sync_id)
    assert len(seen) == 5
    if phase == "auditing":
        execute(database, "ALTER TABLE emag_offer_syncs DROP CONSTRAINT refused")
    market.edit("main", offer_id, part_number="corrected")
    assert run("main").success
    assert_published_exactly(database, market, "main")


def test_a_publish_that_met_a_passing_fault_goes_on_from_the_same_pages(
    market: SandboxServer, database: Database, run: Run, instance: dg.DagsterInstance
) -> None:
    execute(
        database,
        """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$""",
    )
    execute(
        database,
        """CREATE TRIGGER full_disk BEFORE INSERT ON emag_product_offers
           FOR EACH STATEMENT EXECUTE FUNCTION full_disk()""",
    )
    assert dagster_runs.exit_code(instance, run("main").run_id) == 1
    sync_id, _, *how = _newest(database)
    assert how == ["failed", "publishing", "DatabaseUnavailable"]
    execute(database, "DROP TRIGGER full_disk ON emag_product_offers")
    market.reset_stats()
    assert run("main").success
    assert _newest(database)[:3] == (sync_id, 2, "completed")
    assert _pages_read(market) == 1, "the one behind the last"
