"""After syncs of a catalogue whose answers are full of contacts, none stands in any table."""

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.refresh import Contexts, refresh
from emag_pipeline_tests.sync.syncs import rows

_TABLES = """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = CAST('app' AS regnamespace) AND c.relkind = 'r' AND c.relname LIKE 'emag%'
"""


def test_no_contact_of_an_answer_is_kept(market: SandboxServer, database: Database, main: Contexts) -> None:
    refresh(main())
    market.hide("main", market.ids("main")[:20])  # these are read by their id, with whole contacts
    refresh(main())
    (reread,) = rows(database, "SELECT count(*) FROM emag_requests WHERE offer_id IS NOT NULL")
    assert reread[0] == 20
    for table in rows(database, _TABLES):
        found = f"""SELECT CAST(t AS text) FROM {table.relname} t
                    WHERE CAST(t AS text) ~ 'seller_input|Ionescu|[.][0-9]+@sandbox'"""
        assert rows(database, found) == [], table.relname
