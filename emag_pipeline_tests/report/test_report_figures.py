from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from emag_pipeline.marts import figures
from emag_pipeline.model import Reject
from emag_pipeline.monitoring import incidents
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.report import facts
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger, timeline
from emag_pipeline.sync.accounts import note_accounts
from emag_pipeline.sync.published import headline
from emag_pipeline_tests.report.shops import note_call
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, rows, stage, sync

_NEWEST = date(2026, 11, 24)


def _run(database: Database, sql: str, /, **parameters: Any) -> None:
    with database.transaction() as tx:
        tx.run(sql, **parameters)


def test_an_account_that_was_never_published_has_a_headline_of_zeros(database: Database) -> None:
    found = headline(database, "main")
    assert (found.published_at, found.sync_id, found.offers, found.stock_value, found.currency) == (
        None,
        None,
        0,
        0,
        None,
    )


def test_the_headline_counts_existing_offers_and_values_their_stock_in_the_currency_of_most(database: Database) -> None:
    note_accounts(database, [("main", "emag_bg", "EUR")])
    sync(database, [offer(9, currency="RON")])
    shown = [
        offer(1, currency="RON", sale_price=Decimal("10.5"), general_stock=4),
        offer(2, currency="RON", sale_price=Decimal("2"), general_stock=-3, is_saleable=False),
        offer(3, currency="EUR", sale_price=Decimal("7"), general_stock=1),
        offer(4, currency=None, sale_price=Decimal("1"), general_stock=1),
    ]
    reject = Reject(9, "sale_price is 'x'", "{}")
    published = sync(database, shown, rejects=[reject])
    found = headline(database, "main")
    assert (found.offers, found.saleable, found.stock, found.stock_value) == (5, 4, 11, Decimal("95.5"))
    assert (found.stock_valued, found.stock_in_other_currencies, found.stock_without_price) == (10, 1, 0)
    assert (found.currency, found.marketplace, found.quarantined) == ("RON", "emag_bg", 1)
    assert (found.offers_in_other_currencies, found.other_currencies) == (1, ["EUR"])
    assert found.published_at == published.published_at


def test_a_stock_beyond_every_integer_costs_no_headline(database: Database) -> None:
    sync(database, [offer(number, general_stock=2**63 - 1) for number in (1, 2)])
    assert headline(database, "main").stock == 2 * (2**63 - 1)


def _note_days(database: Database, *ages: int, account: str = "main") -> None:
    for age in ages:
        _run(
            database,
            """INSERT INTO emag_daily_assortment
                   (day, account_type, offers, saleable_offers, stock, stock_value, arrivals, departures, price_moves)
               VALUES (:day, :account, :offers, 1, 1, 1, 0, 0, 0)""",
            day=_NEWEST - timedelta(days=age),
            account=account,
            offers=100 + age,
        )


def test_the_last_days_end_with_the_newest_that_is_known_and_may_have_gaps(database: Database) -> None:
    _note_days(database, 0, 1, 3, 29, 30)
    _note_days(database, 2, account="fbe")
    assert [row.offers for row in figures.days(database, "main")] == [129, 103, 101, 100]
    assert [row.offers for row in figures.days(database, "main", days=2)] == [101, 100]
    assert [row.offers for row in figures.days(database, "main", until=_NEWEST - timedelta(days=2))] == [
        130,
        129,
        103,
    ]
    assert figures.newest_day(database, "main") == _NEWEST
    assert figures.newest_day(database, "nobody") is None


def _note_issue(database: Database, offer_id: int, code: str, value: int | None, stock: int = 1) -> None:
    _run(
        database,
        """INSERT INTO emag_offer_issues
               (account_type, emag_offer_id, issue_code, reason, remedy, said, since, stock_held_back, value_held_back)
           VALUES ('main', :id, :code, 'reason of ' || :code, 'remedy of ' || :code, 'said', now(), :stock, :value)""",
        id=offer_id,
        code=code,
        stock=stock,
        value=value,
    )


def test_issues_are_counted_by_reason_and_offers_listed_by_what_they_hold_back(database: Database) -> None:
    sync(database, [offer(1, name="the dear one")])
    for offer_id, code, value in (
        (1, "inactive", 900),
        (1, "product_8", 900),
        (2, "inactive", 100),
        (3, "inactive", None),
    ):
        _note_issue(database, offer_id, code, value)
    counted = figures.issue_counts(database, "main")
    assert [(one.code, one.offers, one.value_held_back) for one in counted] == [
        ("inactive", 3, 1000),
        ("product_8", 1, 900),
    ]
    first, second = figures.held_back(database, "main", limit=2)
    assert (first.emag_offer_id, first.name, second.emag_offer_id) == (1, "the dear one", 2)
    assert (first.reasons, first.said) == (["reason of inactive", "reason of product_8"], ["said"])
    assert first.remedies == ["remedy of inactive", "remedy of product_8"]
    assert figures.count_held_back(database, "main") == 3


def test_the_buy_button_is_counted_and_the_widest_gap_comes_first(database: Database) -> None:
    for offer_id, rank, change, gap in (
        (1, 1, "won", 0),
        (2, 2, "lost", 5),
        (3, 3, "missed", 50),
        (4, 2, "missed", -1),
        (5, 2, "missed", 100),
    ):
        _run(
            database,
            """INSERT INTO emag_buy_button
                   (account_type, emag_offer_id, buy_button_rank, has_buy_button, change, gap, sale_price,
                    best_offer_sale_price, is_saleable, number_of_offers)
               VALUES ('main', :id, :rank, :rank = 1, :change, :gap, 100, 100 - :gap, true, 2)""",
            id=offer_id,
            rank=rank,
            change=change,
            gap=gap,
        )
    told = []
    for passed in (0, 2):  # before any publish, after the first one, and after one of two days later
        counted = figures.button_counts(database, "main")
        assert (counted.held, counted.not_held) == (1, 4)
        told.append((counted.won, counted.lost))
        let_pass(database, timedelta(days=passed))
        sync(database, [offer(9)])
    counted = figures.button_counts(database, "main")
    assert [*told, (counted.won, counted.lost)] == [(None, None), (None, None), (1, 1)]
    assert [row.emag_offer_id for row in figures.lost_buttons(database, "main")] == [2]
    assert [row.emag_offer_id for row in figures.widest_gaps(database, "main")] == [3, 2], "offer 5 has no best price"


def test_cover_falls_into_bands_and_what_is_gone_is_one_of_its_own(database: Database) -> None:
    assert figures.cover_bands(database, "main") == []
    for offer_id, stock, lasts in ((1, 0, "0"), (2, 1, "0.5"), (3, 9, "3"), (4, 9, "6.9"), (5, 9, "7"), (6, 9, "30")):
        _run(
            database,
            """INSERT INTO emag_low_stock
                   (account_type, emag_offer_id, general_stock, sold_a_day, days_of_cover, observed_days)
               VALUES ('main', :id, :stock, 1, :lasts, 30)""",
            id=offer_id,
            stock=stock,
            lasts=Decimal(lasts),
        )
    bands = figures.cover_bands(database, "main")
    assert [(band.offers, band.urgency) for band in bands] == [
        (1, "gone"), (1, "soon"), (0, "soon"), (2, "soon"), (1, "later"), (1, "later"),
    ]  # fmt: skip
    assert [row.emag_offer_id for row in figures.least_cover(database, "main", limit=2)] == [2, 3]


def test_incidents_are_the_accounts_own_and_those_of_no_account(database: Database) -> None:
    for account in ("main", "fbe"):
        sync(database, [offer(1)], account=account)
    check, job = "assortment_reconciles_with_offers of {} on 2026-03-01", "refresh_marts of {}"
    of_main, of_fbe = ([name, check.format(name), job.format(name)] for name in ("main", "fbe"))
    of_all = ["daemon", "refresh_reference of emag_ro", "sensor stale_accounts"]
    for subject in (*of_main, *of_fbe, *of_all):
        incidents.note(database, IncidentFinding(subject, "stale", "too old", "wait"))
    assert [one.subject for one in incidents.open_incidents(database, "main")] == [*of_main, *of_all]


def test_the_last_syncs_are_told_with_what_went_wrong(database: Database) -> None:
    sync(database, [offer(1)])
    ledger.end(database, begin(database), "failed", error_class="ApiUnavailable", message="away", remedy="wait")
    newest, before = facts.last_syncs(database, "main")
    assert (newest.status, newest.error_message, newest.error_remedy) == ("failed", "away", "wait")
    assert (before.status, before.offers_created) == ("completed", 1)


def _scanned(database: Database) -> Any:
    """A sync that began 100 seconds ago, with a call in each second of the first and last five."""
    lease = begin(database)
    stage(database, lease, [offer(1)])
    _run(database, "UPDATE emag_offer_syncs SET started_at = now() - interval '100 seconds'")
    _run(database, "UPDATE emag_scan_pages SET fetched_at = now() - interval '90 seconds'")
    (began,) = rows(database, "SELECT started_at FROM emag_offer_syncs")[0]
    with database.transaction() as tx:
        for second in (1, 2, 3, 4, 5, 60, 61, 62, 63, 64):
            note_call(tx, began + timedelta(seconds=second), page=second)
    return lease.sync_id, began


def test_a_scans_pages_calls_and_pauses_stand_at_their_seconds(database: Database) -> None:
    sync_id, began = _scanned(database)
    with database.transaction() as tx:
        note_call(tx, began + timedelta(seconds=30), status=429)
        note_call(tx, began + timedelta(seconds=31), status=503)
        note_call(tx, began + timedelta(seconds=40), status=503, account="fbe")
        note_call(tx, began - timedelta(seconds=1), status=503)
    found = timeline.timeline(database, sync_id)
    assert [[(round(at), pages) for at, pages in reading] for reading in found.readings] == [[(10, 1)]]
    assert (found.answered, found.failed, found.limited, round(found.seconds, 1)) == (10, 2, 1, 64.1)
    assert ([round(at) for at in found.failed_at], [round(at) for at in found.limited_at]) == ([31], [30])
    assert [(round(start), round(end)) for start, end in found.pauses] == [(5, 30), (31, 60)]
    assert sum(found.answers_over_time) == 10


def test_a_slow_pace_is_no_pause(database: Database) -> None:
    sync_id, began = _scanned(database)
    _run(database, "DELETE FROM emag_requests")
    with database.transaction() as tx:
        for place in range(8):
            note_call(tx, began + timedelta(seconds=10 * place))
    assert timeline.timeline(database, sync_id).pauses == []


def test_many_pages_and_failures_are_thinned_to_what_a_look_needs(database: Database) -> None:
    sync_id, began = _scanned(database)
    _run(
        database,
        """INSERT INTO emag_scan_pages
               (account_type, sync_id, number, reading, page, size, position, ids, offers, rejects, content_hash,
                fetched_at)
           SELECT 'main', :sync, 1000 + n, 2, n, 100, (n - 1) * 100, array_fill(1, ARRAY[100]), 100, 0, '\\x00',
                  now() - interval '50 seconds' + n * interval '1 ms'
           FROM generate_series(1, 5000) n""",
        sync=sync_id,
    )
    _run(
        database,
        """INSERT INTO emag_requests (sent_at, account_type, resource, status, outcome, seconds, bytes)
           SELECT :began + n * interval '10 ms', 'main', 'x', 503, 'error', 0, 0 FROM generate_series(1, 5000) n""",
        began=began,
    )
    found = timeline.timeline(database, sync_id)
    assert (found.failed, found.readings[1][-1][1]) == (5000, 5000)
    assert len(found.readings[1]) <= 62
    assert len(found.failed_at) <= 61


def test_a_scan_whose_staging_and_calls_are_gone_is_empty_and_no_error(database: Database) -> None:
    sync_id, _ = _scanned(database)
    _run(database, "DELETE FROM emag_requests")
    _run(database, "DELETE FROM emag_scan_pages")
    found = timeline.timeline(database, sync_id)
    assert (found.seconds, found.readings, found.pauses, found.answers_over_time) == (0, [], [], [])


def test_the_newest_scan_is_of_the_newest_sync_that_read_a_page(database: Database) -> None:
    assert timeline.newest_scan(database, "main") is None
    sync_id, _ = _scanned(database)
    (lease,) = rows(database, "SELECT sync_id FROM emag_offer_syncs")
    assert timeline.newest_scan(database, "main") == sync_id == lease.sync_id
