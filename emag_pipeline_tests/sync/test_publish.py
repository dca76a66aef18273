from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from emag_pipeline.errors import LeaseLost, RefusedError
from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import confirm, figures, publish
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, rows, stage, sync

_OFFERS = "SELECT emag_offer_id, sale_price, deleted_at, rejected_at, xmin::text FROM emag_product_offers ORDER BY 1"
_HISTORY = "SELECT emag_offer_id, sale_price, valid_from, valid_to FROM emag_offer_history ORDER BY 1, 3"


def test_a_first_publish_creates_offers_products_and_history(database: Database) -> None:
    done = sync(database, [offer(1), offer(2)])
    assert (done.created, done.updated, done.unchanged, done.deleted, done.offers) == (2, 0, 0, 0, 2)
    names = rows(database, "SELECT name FROM emag_current_offers ORDER BY emag_offer_id")
    assert [row.name for row in names] == ["Cafea măcinată 1", "Cafea măcinată 2"]
    assert [(row.emag_offer_id, row.valid_to) for row in rows(database, _HISTORY)] == [(1, None), (2, None)]


def test_an_unchanged_catalogue_changes_no_row_and_adds_no_history(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    before = rows(database, _OFFERS)
    done = sync(database, [offer(1), offer(2)])
    assert done.unchanged == 2
    assert rows(database, _OFFERS) == before
    assert len(rows(database, _HISTORY)) == 2


def test_a_price_move_closes_one_state_and_opens_the_next_at_the_same_moment(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    done = sync(database, [offer(1, sale_price=Decimal("9.9900")), offer(2)])
    assert (done.updated, done.unchanged) == (1, 1)
    old, new = [row for row in rows(database, _HISTORY) if row.emag_offer_id == 1]
    assert (old.sale_price, new.sale_price) == (Decimal("10.5000"), Decimal("9.9900"))
    assert old.valid_to == new.valid_from == done.published_at


def test_new_texts_alone_add_no_history(database: Database) -> None:
    sync(database, [offer(1)])
    done = sync(database, [offer(1, name="Altă cafea")])
    assert done.updated == 1
    assert len(rows(database, _HISTORY)) == 1
    assert rows(database, "SELECT name FROM emag_products")[0].name == "Altă cafea"


def test_an_offer_confirmed_as_gone_is_tombstoned_and_its_state_ends(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    done = sync(database, [offer(1)], gone=[2])
    assert (done.deleted, done.offers) == (1, 1)
    assert rows(database, _OFFERS)[1].deleted_at is not None
    assert rows(database, _HISTORY)[1].valid_to == done.published_at


def test_an_offer_that_was_not_confirmed_as_gone_stays(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    done = sync(database, [offer(1)])
    assert (done.deleted, done.offers) == (0, 2)


def test_a_tombstoned_offer_that_returns_is_revived(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    sync(database, [offer(1)], gone=[2])
    done = sync(database, [offer(1), offer(2)])
    assert (done.updated, done.offers) == (1, 2)
    states = [(row.valid_to is None) for row in rows(database, _HISTORY) if row.emag_offer_id == 2]
    assert states == [False, True]


def test_a_rejected_version_keeps_the_last_good_state_flagged(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    bad = Reject(2, "the price is not a number", "{}")
    sync(database, [offer(1)], rejects=[bad])
    kept = rows(database, _OFFERS)[1]
    assert (kept.deleted_at, kept.sale_price) == (None, Decimal("10.5000"))
    assert kept.rejected_at is not None


def test_a_good_version_takes_the_flag_away_without_a_new_state(database: Database) -> None:
    sync(database, [offer(1)])
    sync(database, [], rejects=[Reject(1, "bad", "{}")])
    sync(database, [offer(1)])
    assert rows(database, _OFFERS)[0].rejected_at is None
    assert len(rows(database, _HISTORY)) == 1


def test_of_repeated_rows_the_one_read_last_counts(database: Database) -> None:
    done = sync(database, [offer(1), offer(1, sale_price=Decimal("11.0000")), offer(2)])
    assert (done.created, done.offers) == (2, 2)


def test_accounts_do_not_touch_each_other(database: Database) -> None:
    sync(database, [offer(1), offer(2)], account="main")
    sync(database, [offer(1)], account="fbe")
    counts = rows(database, "SELECT account_type, count(*) FROM emag_product_offers GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in counts] == [("fbe", 1), ("main", 2)]


def test_a_scan_that_no_audit_accepted_is_not_published(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    with pytest.raises(RefusedError, match="no audit has accepted"):
        publish.publish(database, lease)
    assert rows(database, _OFFERS) == []


def test_a_publish_without_its_lease_writes_nothing(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    with database.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET lease_token = gen_random_uuid(), phase = 'publishing'")
    with pytest.raises(LeaseLost):
        publish.publish(database, lease)
    assert rows(database, _OFFERS) == []


def test_a_publish_whose_commit_was_not_confirmed_is_found_and_not_repeated(database: Database) -> None:
    sync(database, [offer(1), offer(2), offer(3)])
    lease = begin(database)
    stage(database, lease, [offer(1, row_digest=b"1"), offer(2, sale_price=Decimal("9")), offer(4)])
    confirm.record(database, lease, found=(), rejected=(), gone=[3], read_at=datetime.now(UTC))
    figures.begin_audit(database, lease)
    figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())
    done = publish._publish(database, lease)
    assert (done.created, done.updated, done.unchanged, done.deleted, done.remembered) == (1, 1, 1, 1, 1)
    assert publish._publish(database, lease) == replace(done, remembered=0)
    with pytest.raises(LeaseLost):
        publish._publish(database, replace(lease, token=uuid4()))


def test_what_the_offers_were_can_be_asked_for_any_past_moment(database: Database) -> None:
    first = sync(database, [offer(1), offer(2)])
    sync(database, [offer(1, sale_price=Decimal("8"))], gone=[2])
    then = rows(
        database,
        "SELECT emag_offer_id, sale_price FROM emag_offers_as_of('main', :at) ORDER BY 1",
        at=first.published_at,
    )
    assert [tuple(row) for row in then] == [(1, Decimal("10.5000")), (2, Decimal("10.5000"))]
