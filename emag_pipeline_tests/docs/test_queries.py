"""Every statement of docs/queries.md answers its question with a reader's rights, as it is printed."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.marts.refresh import refresh as refresh_mart
from emag_pipeline.marts.registry import MARTS, OF_NEWEST_PUBLISH, OFFER_ISSUES
from emag_pipeline.store import catalog, roles
from emag_pipeline.store.columns import NARROW
from emag_pipeline.store.engine import Database
from emag_pipeline.store.roles import readable
from emag_pipeline_tests.databases import administer, copied
from emag_pipeline_tests.docs.shop import REFUSED, open_shop
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.syncs import rows, sync

_PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
QUESTIONS: dict[str, str] = dict(re.findall(r"^## (.+?)\n.*?```sql\n(.*?)```", _PAGE.read_text("utf-8"), re.M | re.S))

_READABLE = """
    SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'v')
      AND a.attnum > 0 AND NOT a.attisdropped
      AND has_column_privilege('emag_reader', c.oid, a.attnum, 'SELECT')
"""

#: The page names offers of the sandbox, so that it can be tried there; these of the small shop stand for them.
_STAND_INS = {"100016": "1", "100555": "3", "5947920267043": "5941234567899"}

#: The day that the page asks about, to be replaced by the reader's own.
_DAY = "current_date - 3"

#: A question, and statements that change the shop for this answer only.
Ask = Callable[..., list[Any]]

#: Columns that hold money; counts of price moves do not.
_AMOUNTS = r"price(?!_rises|_cuts)|value"

_WITHOUT_CURRENCY = (
    "UPDATE emag_offer_states SET currency = NULL WHERE account_type = 'main' AND emag_offer_id = 1",
    "UPDATE emag_product_offers SET currency = NULL WHERE account_type = 'main' AND emag_offer_id = 1",
)


@pytest.fixture(scope="module")
def shop(cluster: EmbeddedServer, template: str) -> Iterator[Database]:
    """The filled database, on a server that has the roles."""
    with copied(cluster, template, "queries") as url, closing(Database(url)) as database:
        for role in ("emag_writer", "emag_reader"):
            administer(cluster, f"CREATE ROLE {role}")
        open_shop(database)
        assert roles.grant(database)
        with database.transaction() as tx:
            tx.run("GRANT USAGE ON SCHEMA {schema} TO emag_reader")
        yield database
    administer(cluster, "DROP ROLE emag_writer, emag_reader")


@pytest.fixture(scope="module")
def new_installation(cluster: EmbeddedServer, template: str) -> Iterator[Database]:
    """One account, published once, just now; no mart was computed, no reference data read."""
    with copied(cluster, template, "new_queries") as url, closing(Database(url)) as database:
        sync(database, [offer(1)])
        yield database


@pytest.fixture(scope="module")
def ask(shop: Database) -> Ask:
    """The rows that answer a question, for a reader; what is changed for it is rolled back."""

    def answer(question: str, *changes: str) -> list[Any]:
        with shop.transaction() as tx, tx.connection.begin_nested() as changed:
            for change in changes:
                tx.run(change)
            tx.run("SET LOCAL ROLE emag_reader")
            asked = re.sub("|".join(_STAND_INS), lambda found: _STAND_INS[found[0]], QUESTIONS[question])
            rows_told = list(tx.connection.exec_driver_sql(asked.replace("%", "%%")).all())
            changed.rollback()
            return rows_told

    return answer


def test_the_offers_that_the_page_names_show_something_on_the_sandbox(database: Database) -> None:
    with unlimited_sandbox() as market:
        for account in ("main", "fbe"):
            refresh(context_for(database, market.url, account))
    refresh_mart(database, OFFER_ISSUES, "main")
    named = {
        question: statement.replace("%", "%%")
        for question, statement in QUESTIONS.items()
        if re.search(r"\b100\d{3}\b|\b59\d{11}\b", statement)
    }
    assert len(named) == 3
    with database.transaction() as tx:
        told = {question: tx.connection.exec_driver_sql(statement).all() for question, statement in named.items()}
    assert all(told.values()), told
    by_ean = told["Which offers have this EAN, or this part number?"]
    assert [(row.account_type, row.emag_offer_id) for row in by_ean] == [("fbe", 100016), ("main", 100016)]


def test_what_the_dictionary_says_of_readers_is_so(shop: Database) -> None:
    told = {
        (table.name, column.name)
        for table in catalog.tables(shop)
        if table.name in readable()
        for column in table.columns
        if (columns := readable()[table.name]) is None or column.name in columns
    }
    assert told == {(row.relname, row.attname) for row in rows(shop, _READABLE)}


def test_every_heading_has_its_statement() -> None:
    assert list(QUESTIONS) == re.findall(r"^## (.+)$", _PAGE.read_text("utf-8"), re.M)


def test_readme_says_how_many_questions_there_are() -> None:
    readme = (_PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
    assert f"({len(QUESTIONS)} questions in SQL" in readme


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_statement_runs_on_a_new_installation_as_it_is_printed(new_installation: Database, question: str) -> None:
    with new_installation.transaction() as tx:
        answer = tx.connection.exec_driver_sql(QUESTIONS[question].replace("%", "%%")).all()
    if "as_of" in QUESTIONS[question] and question.startswith(("Which offers were there", "What did an offer cost")):
        assert [row.emag_offer_id for row in answer] == [1], "what was first published"
    elif "as_of" in QUESTIONS[question]:
        assert answer == [], "nothing has moved, arrived or departed since the first publish"


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_statement_has_an_answer_and_no_amount_is_without_its_currency(ask: Ask, question: str) -> None:
    first, *_ = ask(question)
    amounts = [name for name in first._fields if re.search(_AMOUNTS, name)]
    assert not amounts or "currency" in first._fields, amounts


def test_why_an_offer_cannot_be_bought(ask: Ask) -> None:
    (row,) = ask("Why can an offer not be bought, and since when?")
    assert (row.reason, row.value_held_back) == ("The product was refused for its documentation", Decimal(500))


def test_the_value_held_back(ask: Ask) -> None:
    answers = ask("How much value is held back, and by which reason?")
    assert [(row.issue_code, row.offers, row.pieces, row.value_without_vat) for row in answers] == [
        ("product_8", 1, 10, Decimal(500)),
        ("out_of_stock", 1, 0, Decimal(0)),
    ]


def test_who_lost_the_buy_button(ask: Ask) -> None:
    (row,) = ask("Which offers lost the buy button since yesterday, and by how much?")
    assert (row.emag_offer_id, row.rank_a_day_ago, row.buy_button_rank, row.gap_with_vat) == (1, 1, 2, Decimal("12.1"))


def test_what_runs_out(ask: Ask) -> None:
    assert [row.emag_offer_id for row in ask("What runs out this week?")] == [6]


def test_the_assortment_of_a_day(ask: Ask) -> None:
    (row,) = ask("What did the assortment look like on a day?")
    assert (row.offers, row.saleable_share, row.arrivals, row.departures) == (6, Decimal("0.666667"), 0, 0)
    assert (row.stock, row.stock_value, row.price_rises, row.price_cuts) == (45, Decimal(4050), 1, 0)


def test_a_day_on_which_a_reason_stopped_nobody_counts_0(ask: Ask) -> None:
    question = "How did the reasons not to be bought develop over the last 30 days?"
    before = {(row.issue_code, row.offers) for row in ask(question)}
    assert before == {("out_of_stock", 1), ("product_8", 1)}
    a_day_later = """INSERT INTO emag_daily_assortment (day, account_type, as_of, offers, saleable_offers,
            stock, stock_value, departures, price_moves, price_rises, price_cuts, issues)
        SELECT day + 1, account_type, as_of, offers, saleable_offers, stock, stock_value, 0, 0, 0, 0,
               '{"out_of_stock": 2}' FROM emag_daily_assortment WHERE account_type = 'main'"""
    told = [(row.issue_code, row.offers) for row in ask(question, a_day_later)]
    assert told == [("out_of_stock", 1), ("out_of_stock", 2), ("product_8", 1), ("product_8", 0)]


def test_the_offers_at_the_end_of_a_day(ask: Ask) -> None:
    answers = ask("Which offers were there at the end of that day, and in what state?")
    assert [(row.emag_offer_id, row.sale_price, row.general_stock) for row in answers][:3] == [
        (1, Decimal(130), 5),
        (2, Decimal(100), 0),
        (3, Decimal(50), 10),
    ]


@pytest.mark.parametrize("question", [one for one in QUESTIONS if re.search(r"\b(a|that) day\b", one)])
def test_a_day_of_ones_own_takes_the_place_of_the_only_one_that_is_named(shop: Database, question: str) -> None:
    with shop.transaction() as tx:
        tx.run("SET LOCAL timezone = 'UTC'")
        first = tx.run("SELECT CAST(min(published_at) AS date) FROM emag_publishes").scalar_one()
        own = QUESTIONS[question].replace(_DAY, f"date '{first}'")
        assert "current_date" not in own
        if "as_of" in own:  # before its price rose; at the end of the first day it exists already
            prices = {row.emag_offer_id: row.sale_price for row in tx.connection.exec_driver_sql(own)}
            assert prices[1] == Decimal(100)


def test_what_an_offer_cost_with_vat(ask: Ask) -> None:
    answers = ask("What did an offer cost with VAT at the end of that day?")
    assert [(row.emag_offer_id, row.sale_price_with_vat) for row in answers][:2] == [
        (1, Decimal("154.70")),
        (2, Decimal("119.00")),
    ]


def test_a_price_history(ask: Ask) -> None:
    answers = ask("What is the price history of an offer?")
    assert [(row.sale_price, row.percent) for row in answers] == [(Decimal(100), None), (Decimal(130), Decimal(30))]
    told = ask("What is the price history of an offer?", *_WITHOUT_CURRENCY)
    assert [row.percent for row in told] == [None, Decimal(30)], "none is no other currency"


def test_whose_price_moved(ask: Ask) -> None:
    answers = ask("Whose price moved by more than 20 % in a week?")
    assert [(row.emag_offer_id, row.a_week_ago, row.now) for row in answers] == [(1, Decimal(100), Decimal(130))]
    told = ask("Whose price moved by more than 20 % in a week?", *_WITHOUT_CURRENCY)
    assert [(row.emag_offer_id, row.currency) for row in told] == [(1, None)]


def test_arrivals_and_departures(ask: Ask) -> None:
    answers = ask("What arrived and what departed within a week?")
    assert [(row.what, row.emag_offer_id, row.sale_price) for row in answers] == [
        ("arrived", 5, Decimal(100)),
        ("departed", 4, Decimal(100)),
    ]
    gone_again = (
        """UPDATE emag_offer_states SET stamp_to =
               (SELECT max(stamp) FROM emag_publishes WHERE account_type = 'main')
           WHERE account_type = 'main' AND emag_offer_id = 5 AND stamp_to IS NULL""",
        "UPDATE emag_product_offers SET deleted_at = now() WHERE account_type = 'main' AND emag_offer_id = 5",
    )
    told = ask("What arrived and what departed within a week?", *gone_again)
    assert [(row.what, row.emag_offer_id) for row in told] == [("came and went", 5), ("departed", 4)]


def test_what_the_reference_data_does_not_know(ask: Ask) -> None:
    answers = ask("Which offers have a VAT rate or a category that is not known?")
    assert [(row.emag_offer_id, row.vat_id, row.category_id) for row in answers] == [(5, 77, 9999)]


def test_the_saleable_share_of_a_category(ask: Ask) -> None:
    answers = ask("What share of the offers can be bought, by category?")
    assert [(row.account_type, row.category_name, row.offers, row.saleable) for row in answers] == [
        ("main", "Fierbătoare", 5, 3),
        ("fbe", "Fierbătoare", 1, 1),
        ("main", None, 1, 1),
    ]


def test_the_worth_of_the_stock(ask: Ask) -> None:
    answers = ask("What is the stock worth, by brand?")
    assert [(row.brand, row.value_without_vat, row.of_it_saleable) for row in answers] == [
        ("Zăpada", Decimal(2150), Decimal(1650)),
        ("Șoim", Decimal(825), Decimal(825)),
    ]


def test_two_prices_of_one_product(ask: Ask) -> None:
    (row,) = ask("Which products have different prices in two accounts?")
    assert (row.offer_of_main, row.offer_of_fbe, row.difference) == (7, 70, Decimal(5))


def test_what_was_published_since(ask: Ask) -> None:
    answers = ask("What was published since I looked last?")
    assert [(row.publish_number, row.emag_offer_id) for row in answers] == [
        (3, 1), (3, 2), (3, 6), (4, 5), (4, 6), (5, 1),
    ]  # fmt: skip


def test_how_complete_the_copy_is(ask: Ask) -> None:
    answers = ask("How fresh and how complete is the copy?")
    told = [(row.account_type, row.staged_from_pages, row.only_in_quarantine, row.not_accounted_for) for row in answers]
    assert told == [("fbe", 1, 0, 0), ("main", 5, 1, 0)]


def test_which_marts_are_behind(ask: Ask) -> None:
    answers = ask("Do the marts show the newest publish?")
    marts = sorted(mart.name for mart in MARTS)
    current = [("main", mart.name, True) for mart in sorted(OF_NEWEST_PUBLISH, key=lambda mart: mart.name)]
    never = [("fbe", mart, False) for mart in marts] + [("main", "daily_assortment", False)]
    assert [(row.account_type, row.mart, row.is_current) for row in answers] == never + current
    assert [row.refreshed_at is None for row in answers] == [True] * len(never) + [False] * len(current)


def test_a_mart_that_was_never_computed_shows_although_others_were(ask: Ask) -> None:
    lost = "DELETE FROM emag_mart_refreshes WHERE account_type = 'main' AND mart = 'low_stock'"
    told = ask("Do the marts show the newest publish?", lost)
    assert ("main", "low_stock", False) in [(row.account_type, row.mart, row.is_current) for row in told]


def test_what_went_to_quarantine(ask: Ask) -> None:
    (row,) = ask("Which rows could not be represented, and why?")
    assert (row.emag_offer_id, row.name, row.reason) == (6, "Cafea măcinată 6", "sale_price is 'x', not a number")
    assert row.kept_since is not None


def test_whom_unreadable_fields_keep_from_being_published(ask: Ask) -> None:
    question = "Which fields cannot be read, and is a scan refused for them?"
    (refused,) = ask(question)
    assert (refused.account_type, refused.emag_offer_id, refused.said) == ("fbe", None, REFUSED)
    unread = """UPDATE emag_product_offers SET unreadable = '{sale_price,currency}', is_saleable = false
                WHERE account_type = 'main' AND emag_offer_id = 2"""
    _, offer_told = ask(question, unread)
    assert (offer_told.account_type, offer_told.emag_offer_id) == ("main", 2)
    assert offer_told.said == "shows its last good value of sale_price, currency"


def test_refused_syncs_are_in_no_length_of_those_that_published(ask: Ask) -> None:
    refused = """INSERT INTO emag_offer_syncs OVERRIDING SYSTEM VALUE
            SELECT (jsonb_populate_record(s, jsonb_build_object(
                       'sync_id', gen_random_uuid(), 'sync_number', 1000000, 'status', 'failed', 'publish_number', NULL,
                       'lease_token', gen_random_uuid(),
                       'started_at', now() - interval '9 days', 'completed_at', now()))).*
            FROM emag_offer_syncs s WHERE account_type = 'fbe' LIMIT 1"""
    (before, *_), (after, *_) = ask("How long do syncs take?"), ask("How long do syncs take?", refused)
    assert (after.account_type, after.syncs, after.not_published) == ("fbe", before.syncs + 1, 1)
    assert (after.median, after.longest) == (before.median, before.longest)


def test_what_is_wrong_is_listed_once_although_incident_sync_and_check_report_it(ask: Ask) -> None:
    failing = """INSERT INTO emag_check_results
            (subject, check_name, part, asset, severity, passed, said, remedy, sample, checked_at, failing_since)
        SELECT subject, name, part, 'offers', 'ERROR', false, 's', 'r', '[]', now(), now()
        FROM (VALUES ('main', 'published_equals_scan', ''), ('main', 'assortment_reconciles_with_offers', '2026-03-01'),
                     ('fbe', 'offers_are_fresh', '')) failing (subject, name, part)"""
    refused = """UPDATE emag_offer_syncs SET status = 'failed', error_class = 'RefusedError', error_message = 'm',
            error_remedy = 'r', publish_number = NULL WHERE account_type = 'fbe'"""
    of_checks = {
        ("main", "published_equals_scan (ERROR)"),
        ("main", "assortment_reconciles_with_offers (ERROR)"),
        ("fbe", "rejects_within_tolerance (ERROR)"),
    }
    assert _wrong(ask, failing) == sorted([("fbe", "stale"), *of_checks]), "freshness is the incident's"
    assert _wrong(ask, failing, "DELETE FROM emag_incidents", refused) == sorted([
        ("fbe", "offers_are_fresh (ERROR)"), ("fbe", "sync failed"),
        *of_checks - {("fbe", "rejects_within_tolerance (ERROR)")},
    ]), "the sync is why the check of the audit fails"  # fmt: skip
    incidents = """INSERT INTO emag_incidents (subject, kind, error_class, message, remedy)
        VALUES ('fbe', 'refused', 'RefusedError', 'm', 'r'),
               ('published_equals_scan of main', 'red', NULL, 'm', 'r'),
               ('assortment_reconciles_with_offers of main on 2026-03-01', 'red', NULL, 'm', 'r')"""
    assert _wrong(ask, failing, refused, incidents) == sorted([
        ("fbe", "refused"), ("fbe", "stale"),
        ("assortment_reconciles_with_offers of main on 2026-03-01", "red"), ("published_equals_scan of main", "red"),
    ])  # fmt: skip
    lost = "UPDATE emag_offer_syncs SET error_class = 'AccessRefused' WHERE account_type = 'fbe'"
    assert ("fbe", "sync failed") in _wrong(ask, refused, incidents, lost), "another cause than the incident's"


def _wrong(ask: Ask, *changes: str) -> list[tuple[str, str]]:
    return sorted((row.subject, row.what) for row in ask("What is wrong now?", *changes))


def test_the_page_names_each_column_that_begins_a_state() -> None:
    (told,) = re.findall(r"begins a state:\n(.*?)\n\n", _PAGE.read_text("utf-8"), re.S)
    assert re.findall(r"`(\w+)`", told) == list(NARROW)


def test_which_findings_are_accepted(ask: Ask) -> None:
    (row,) = ask("Which findings of checks are accepted, why, and until when?")
    assert (row.emag_offer_id, row.accepted_by) == (1, "ana")
