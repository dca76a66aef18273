from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from emag_pipeline.admin.history import Gap, OfferState, sampled, timeline
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import sync


def _past(database: Database) -> Past:
    """Offer 1: two prices, an absence of a day, back without stock."""
    past = Past(database)
    past.publish(good(1), good(2))
    past.wait(days=2)
    past.publish(good(1, sale_price=Decimal("9.9900")), good(2))
    past.wait(days=2)
    past.publish(good(2))
    past.wait(days=1)
    past.publish(good(1, general_stock=0), good(2))
    past.wait(days=3)
    return past


def test_states_and_gaps_follow_each_other_without_a_hole(database: Database) -> None:
    moments = [at for at, _ in _past(database).publishes]
    entries = timeline(database, "main", 1).entries
    assert [type(entry) for entry in entries] == [OfferState, OfferState, Gap, OfferState]
    assert [entry.valid_from for entry in entries] == moments
    assert [entry.valid_to for entry in entries] == [*moments[1:], None]
    prices = [entry.sale_price for entry in entries if isinstance(entry, OfferState)]
    assert prices == [Decimal("10.5000"), Decimal("9.9900"), Decimal("10.5000")]
    assert [entry.issue_codes for entry in entries if isinstance(entry, OfferState)] == [(), (), ("out_of_stock",)]


def test_an_offer_that_is_gone_ends_with_a_gap(database: Database) -> None:
    past = _past(database)
    gone = past.publish(good(2))
    assert timeline(database, "main", 1).entries[-1] == Gap(gone, None)


def test_since_a_moment_means_from_the_state_in_force_then(database: Database) -> None:
    moments = [at for at, _ in _past(database).publishes]
    entries = timeline(database, "main", 1, since=moments[1] + timedelta(hours=1)).entries
    assert [entry.valid_from for entry in entries] == moments[1:]


def test_of_an_offer_gone_before_that_moment_the_gap_is_told(database: Database) -> None:
    sync(database, [good(1), good(2)])
    gone = sync(database, [good(2)], gone=[1]).published_at
    assert timeline(database, "main", 1, since=datetime.now(UTC)).entries == (Gap(gone, None),)


def test_another_accounts_offer_of_the_same_id_is_not_shown(database: Database) -> None:
    sync(database, [good(1)], account="fbe")
    sync(database, [good(1, sale_price=Decimal("7.0000"))])
    (state,) = timeline(database, "main", 1).entries
    assert isinstance(state, OfferState)
    assert state.sale_price == Decimal("7.0000")


def test_the_last_sample_is_what_is_so_now(database: Database) -> None:
    past = _past(database)
    past.publish(good(1, general_stock=77), good(2))
    last = sampled(timeline(database, "main", 1).entries, 5, datetime.now(UTC))[-1]
    assert last is not None
    assert last.general_stock == 77


def test_samples_show_each_state_for_its_share_of_the_time(database: Database) -> None:
    past = _past(database)
    entries = timeline(database, "main", 1).entries
    states = sampled(entries, 80, past.published_at + timedelta(days=3))
    counts = [states.count(entry if isinstance(entry, OfferState) else None) for entry in entries]
    assert counts == pytest.approx([20, 20, 10, 30], abs=1)
