from datetime import timedelta

from emag_pipeline.store.engine import Database
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync import syncs
from emag_pipeline_tests.sync.offers import offer


def test_history_then_lies_in_the_past_and_as_of_finds_it_there(database: Database) -> None:
    syncs.sync(database, [offer(1)])
    let_pass(database, timedelta(days=2))
    syncs.sync(database, [offer(1, general_stock=3)])
    (row,) = syncs.rows(database, "SELECT general_stock FROM emag_offers_as_of('main', now() - interval '1 day')")
    assert row.general_stock == 5
