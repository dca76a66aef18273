"""What a publish reads follows what it changes, also where nobody has analysed anything since the scan began."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.store import migrate
from emag_pipeline.store.columns import STAGED
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures, publish, staging, staging_room, statistics
from emag_pipeline_tests.store.plans import EXPLAINING, Explained, Statements
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, stage

_OFFERS = 200_000
#: A tenth of them is what autovacuum, and the pipeline, take for much: one less, and one more.
_CHANGES = (1, 1_000, 19_999, 20_001)
#: Blocks that a statement may read for each offer (of which it may look at the fingerprint), and for each that has
#: changed; those that merge look at changed ones alone. A row that is written costs a few blocks for each index.
_FOR_AN_OFFER, _FOR_A_CHANGE, _AT_LEAST = 3, 30, 200


@dataclass(frozen=True, slots=True)
class Shop:
    """An account with many offers, whose server analyses nothing by itself, and what its statements read."""

    database: Database
    statements: Statements


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    settings = {"fsync": "off", "autovacuum": "off", "shared_buffers": "256MB", **EXPLAINING}
    with ScratchServer.opened(settings) as server, closing(Database(server.url("emag"), pool_size=1)) as database:
        made = Shop(database, Statements(database))
        migrate.upgrade(database)
        _publish(made, changed=0, turn=0)
        statistics.renew(database, statistics.PUBLISHED)
        yield made


#: So many copies of the offer that is staged, the first of them with fingerprints of their own.
_COPIES = f"""
    INSERT INTO emag_scan_offers (account_type, sync_id, page, fetched_at, {", ".join(STAGED)})
    SELECT account_type, sync_id, page, fetched_at, number,
           CASE WHEN number <= :changed THEN sha256(CAST(:turn || '.' || number AS bytea)) ELSE sha256('') END,
           {", ".join(STAGED[2:])}
    FROM emag_scan_offers, generate_series(2, :offers) number
    WHERE account_type = 'main' AND emag_offer_id = 1
"""


def _publish(shop: Shop, *, changed: int, turn: int) -> tuple[publish.Published, list[Explained]]:
    """Stage and publish, without the statistics that a scan brings up to date at its end."""
    database = shop.database
    lease = begin(database)
    staging.discard_remains(database, lease)
    stage(database, lease, [offer(1, general_stock=turn)])
    execute(database, _COPIES, offers=_OFFERS, changed=changed, turn=turn)
    figures.begin_audit(database, lease)
    figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())
    with shop.statements.during() as seen:
        done = publish.publish(database, lease)
    if statistics.is_much(done.created + done.updated + done.deleted, done.offers):
        statistics.renew(database, statistics.PUBLISHED)
    return done, seen


@pytest.mark.slow
@pytest.mark.parametrize("changed", _CHANGES)
def test_a_publish_reads_what_it_changes(changed: int, shop: Shop) -> None:
    done, seen = _publish(shop, changed=changed, turn=changed)
    assert (done.updated, done.unchanged) == (changed, _OFFERS - changed)
    merging = [
        one for one in seen if f"{staging_room.name(staging_room.CHANGES, 'main')} c " in " ".join(one.sql.split())
    ]
    assert len(merging) == 9, "what closes, opens, updates, creates and deletes, of earlier rules, and not read"
    print(f"\n{changed:,} changes:")
    for one in merging:
        print(f"  {one.buffers:>10,} buffers {one.rows:>10,} rows  {' '.join(one.sql.split())[:90]}")
    assert [str(one) for one in merging if one.buffers > _AT_LEAST + _FOR_A_CHANGE * changed] == []
    most = _FOR_AN_OFFER * _OFFERS + _FOR_A_CHANGE * changed
    assert [str(one) for one in seen if max(one.buffers, one.rows) > most] == []
