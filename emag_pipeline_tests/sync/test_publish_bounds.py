"""What a publish must not mix up: other accounts, other syncs, older rows of the same offer, rows of earlier rules."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import confirm, figures, ledger, publish, staging
from emag_pipeline.sync.publish import Published
from emag_pipeline.sync.staging import Reached
from emag_pipeline_tests.sync.offers import offer, page_of, window_of
from emag_pipeline_tests.sync.syncs import begin, execute, rows, stage, sync

#: that of `offer`
_PRICE = Decimal("10.5000")
#: partitions are left out: their parents show their rows
_WITH_ACCOUNT = """SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                   WHERE a.attname = 'account_type' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                     AND c.relnamespace = to_regnamespace(current_schema())"""
_STATES = """SELECT sale_price, general_stock, valid_to IS NULL AS is_open FROM emag_offer_history
             ORDER BY emag_offer_id, valid_from"""
#: what readers see of an account, without what differs between two
_SEEN = """SELECT emag_offer_id, sale_price, general_stock, name, rejected_at IS NOT NULL AS is_flagged
           FROM emag_current_offers WHERE account_type = :account ORDER BY 1"""


def _bad(offer_id: int) -> Reject:
    return Reject(offer_id, "bad", "{}")


def _numbers(done: Published) -> tuple[int, ...]:
    return done.created, done.updated, done.unchanged, done.deleted, done.offers, done.saleable, done.flagged


def _of_account(database: Database, account: str) -> dict[str, list[Any]]:
    """Each row of the account in each table, with the transaction that wrote it."""
    written = "SELECT xmin::text, t::text FROM {} t WHERE account_type = :account ORDER BY 2"
    tables = [row.relname for row in rows(database, _WITH_ACCOUNT)]
    assert len(tables) > 10
    return {table: rows(database, written.format(table), account=account) for table in tables}


def _life(database: Database, account: str) -> list[tuple[int, ...]]:
    """Six offers of an account through every kind of change; what each publish said."""
    one, two, three, four, five, six = (offer(number, row_digest=b"%d" % number) for number in range(1, 7))
    dear = offer(1, sale_price=Decimal("11.0000"))
    new_text = offer(2, name="Altă cafea")
    without_price = offer(6, sale_price=None, unreadable=("sale_price",), general_stock=0, is_saleable=False)
    turns: list[tuple[Sequence[Any], Sequence[int], Sequence[Any]]] = [
        ([one, two, three, four, five], (), ()),
        ([dear, new_text, five, six], (3,), [_bad(4)]),
        ([dear, new_text, three, four, five, without_price], (), ()),
    ]
    return [_numbers(sync(database, shown, gone=gone, rejects=bad, account=account)) for shown, gone, bad in turns]


def test_no_change_of_an_account_touches_or_counts_the_offers_of_another(database: Database) -> None:
    expected = [(5, 0, 0, 0, 5, 5, 0), (1, 2, 1, 1, 5, 5, 1), (0, 3, 3, 0, 6, 5, 0)]
    assert _life(database, "main") == expected
    seen = rows(database, _SEEN, account="main")
    assert [(row.name[:5], row.sale_price) for row in seen] == [
        ("Cafea", Decimal("11.0000")), ("Altă ", _PRICE), *[("Cafea", _PRICE)] * 4,
    ]  # fmt: skip
    sync(database, [offer(2), offer(6, sale_price=Decimal(77))], gone=[1, 3], rejects=[_bad(5)])
    before = _of_account(database, "main")
    assert _life(database, "fbe") == expected
    assert rows(database, _SEEN, account="fbe") == seen
    assert _of_account(database, "main") == before


def test_what_an_abandoned_sync_left_in_staging_is_not_published(database: Database) -> None:
    sync(database, [offer(number) for number in range(1, 6)])
    abandoned = begin(database)
    stage(database, abandoned, [offer(1, sale_price=Decimal("99")), offer(9)], [_bad(3), _bad(4), _bad(5)])
    confirm.record(database, abandoned, found=(), rejected=(), gone=[2, 5], read_at=datetime.now(UTC))
    ledger.end(database, abandoned, "failed", error_class="ScanNotProven", message="m", remedy="r")
    execute(
        database, "UPDATE emag_scan_offers SET fetched_at = now() + interval '1 day'"
    )  # the clock was set back since
    execute(database, "DELETE FROM emag_products WHERE emag_offer_id = 3")  # by hand
    lease = begin(database)
    assert not lease.resumed
    stage(database, lease, [offer(1), offer(3, general_stock=6)])
    at = datetime.now(UTC)
    assert confirm.missing_offers(database, lease, limit=9) == [2, 4, 5]
    confirm.record(database, lease, found=[offer(2)], rejected=(), gone=(), read_at=at)
    assert confirm.missing_offers(database, lease, limit=9) == [4, 5]
    confirm.record(database, lease, found=(), rejected=(), gone=[4], read_at=at)
    figures.begin_audit(database, lease)
    figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())
    assert _numbers(publish.publish(database, lease)) == (0, 1, 2, 1, 4, 4, 0)
    states = [(row.sale_price, row.general_stock, row.is_open) for row in rows(database, _STATES)]
    assert states == [(_PRICE, *one) for one in ((5, True), (5, True), (5, False), (6, True), (5, False), (5, True))]


def test_an_offer_that_was_deleted_meanwhile_is_not_deleted_again(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    first = sync(database, [offer(1)], gone=[2])
    assert sync(database, [offer(1)], gone=[2]).deleted == 0
    (state,) = rows(database, "SELECT valid_to FROM emag_offer_history WHERE emag_offer_id = 2")
    assert state.valid_to == first.published_at


@pytest.mark.parametrize(
    ("seconds_later", "page", "counts"), [(1, 1, True), (-1, 3, False), (0, 3, True), (0, 1, False)]
)
def test_of_the_rows_of_an_offer_the_one_read_last_is_published_then_that_of_the_later_page(
    database: Database, seconds_later: int, page: int, counts: bool
) -> None:
    lease = begin(database)
    at = datetime.now(UTC)
    first = replace(page_of(2, [offer(1)]), fetched_at=at)
    later = at + timedelta(seconds=seconds_later)
    again = replace(page_of(page, [offer(1, sale_price=Decimal("12"))]), fetched_at=later)
    staging.plan(database, lease, pages=1, offers=1)
    staging.stage_windows(database, lease, [window_of(first), window_of(again)], Reached(1, 1, 1))
    figures.note_ending(database, lease, {"count_after": 1, "proven": 1})
    figures.begin_audit(database, lease)
    figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())
    assert _numbers(publish.publish(database, lease)) == (1, 0, 0, 0, 1, 1, 0)
    assert [row.sale_price for row in rows(database, _STATES)] == [Decimal(12) if counts else _PRICE]


def test_rows_of_earlier_rules_whose_old_columns_are_equal_are_completed_without_a_new_state(
    database: Database,
) -> None:
    for account in ("fbe", "main"):
        sync(database, [offer(number, warranty=24) for number in range(1, 6)], account=account)
        sync(database, [offer(number, warranty=24) for number in (1, 2, 3, 5)], gone=[4], account=account)
    for table in ("emag_product_offers", "emag_products"):
        execute(database, f"UPDATE {table} SET row_hash = '' WHERE emag_offer_id < 5 OR account_type = 'fbe'")
    before = _of_account(database, "fbe")
    young = {"warranty": 24, "commission": Decimal("0.2"), "family_type_id": 95}
    shown = [offer(1, **young), offer(2, **young, general_stock=6), offer(3, **young, name="Altă cafea")]
    done = sync(database, [*shown, offer(4, **young), offer(5, **young)])
    assert _numbers(done) == (0, 4, 1, 0, 5, 5, 0)
    states = rows(
        database,
        """SELECT emag_offer_id, commission, general_stock, valid_to IS NULL AS is_open FROM emag_offer_history
           WHERE account_type = 'main' ORDER BY 1, valid_from""",
    )
    assert [tuple(row) for row in states] == [
        (1, Decimal("0.2000"), 5, True),
        (2, None, 5, False),
        (2, Decimal("0.2000"), 6, True),
        (3, Decimal("0.2000"), 5, True),
        (4, None, 5, False),
        (4, Decimal("0.2000"), 5, True),
        (5, None, 5, False),  # published under today's rules: a change of a column that is new to the others
        (5, Decimal("0.2000"), 5, True),
    ]
    products = rows(
        database, "SELECT family_type_id, name FROM emag_products WHERE account_type = 'main' ORDER BY emag_offer_id"
    )
    assert [row.family_type_id for row in products] == [95] * 5
    assert products[2].name == "Altă cafea"
    assert _of_account(database, "fbe") == before
