"""Offers that pages do not show: confirmed one by one, or refused when they are too many."""

from dataclasses import replace

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.refresh import Contexts, ledger_row, refresh, refused
from emag_pipeline_tests.sync.syncs import execute, rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

_DELETED = "SELECT emag_offer_id FROM emag_product_offers WHERE deleted_at IS NOT NULL ORDER BY 1"


@pytest.mark.usefixtures("already_published")
def test_departed_offers_are_tombstoned_after_a_read_by_their_id(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    gone = market.ids("main")[10:14]
    market.remove("main", gone)
    assert refresh(main()).published.deleted == 4
    assert [row.emag_offer_id for row in rows(database, _DELETED)] == gone
    asked = [request["offer_id"] for request in market.requests("main") if request["offer_id"]]
    assert sorted(asked) == gone
    assert_published_exactly(database, market, "main")


@pytest.mark.usefixtures("already_published")
def test_offers_that_pages_hide_and_reads_by_id_find_are_kept(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    market.hide("main", market.ids("main")[:50])
    done = refresh(main())
    assert (done.published.deleted, done.published.offers, done.published.unchanged) == (0, 520, 520)
    assert rows(database, _DELETED) == []


@pytest.mark.usefixtures("already_published")
def test_a_collapsed_catalogue_is_refused_and_nobody_is_asked_for_each_offer(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    market.remove("main", market.ids("main")[:200])
    context = main()
    audit = refused(context)
    assert [verdict.name for verdict in audit.verdicts if not verdict.passed] == ["volume_has_not_collapsed"]
    row = ledger_row(context)
    assert (row.status, row.error_class) == ("failed", "RefusedError")
    assert rows(database, "SELECT count(*) FROM emag_product_offers WHERE deleted_at IS NULL")[0][0] == 520
    assert not [request for request in market.requests("main") if request["offer_id"]]


@pytest.mark.usefixtures("already_published")
def test_known_offers_whose_rows_have_lost_their_id_are_tolerated_once_each(
    market: SandboxServer, main: Contexts
) -> None:
    """They are met twice: on their page, and when they are asked for by their id."""
    market.add_fault("poison", account="main", row="no_id", offer_ids=market.ids("main")[:5])
    assert refresh(main()).published.deleted == 0
    proof = ledger_row(main()).proof
    assert (proof["quarantined"], proof["without_id_twice"]) == (10, 5)


_NOTE_PHASES = """
    CREATE TABLE phases (place bigint GENERATED ALWAYS AS IDENTITY, phase text);
    CREATE FUNCTION note_phase() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO phases (phase) VALUES (NEW.phase); RETURN NULL; END';
    CREATE TRIGGER phases AFTER UPDATE OF phase ON emag_offer_syncs
        FOR EACH ROW WHEN (NEW.phase <> OLD.phase) EXECUTE FUNCTION note_phase();
"""


@pytest.mark.usefixtures("already_published")
def test_no_phase_comes_back_where_pages_are_read_after_reads_by_id(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    execute(database, _NOTE_PHASES)
    market.remove("main", market.ids("main")[:60])
    context = main(EMAG_SYNC_PROGRESS_INTERVAL="0.01")
    moving = replace(context, report=lambda _: market.add("main", place="end"))
    assert refresh(moving).published.deleted == 60
    (asked, *_) = (place for place, one in enumerate(market.requests("main")) if one["offer_id"])
    assert [one for one in market.requests("main")[asked:] if one["page"]], "no page was read after them"
    phases = [row.phase for row in rows(database, "SELECT phase FROM phases ORDER BY place")]
    assert phases == ["scanning", "confirming", "auditing", "publishing"]
