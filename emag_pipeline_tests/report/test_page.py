import re
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import DAILY_ASSORTMENT, OFFER_ISSUES
from emag_pipeline.model import Offer
from emag_pipeline.report import facts_of, page
from emag_pipeline.report.today import tasks
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline_tests.report.documents import Document, read
from emag_pipeline_tests.report.shops import HOSTILE, REASON, fill_marts
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, rows, sync

_SECTIONS = ["today", "assortment", "issues", "button", "cover", "moves", "syncs", "scan", "quarantine"]


@pytest.fixture(scope="module")
def html(shop: Database) -> str:
    return page(facts_of(shop, "main"))


@pytest.fixture(scope="module")
def document(html: str) -> Document:
    return read(html)


@pytest.fixture(scope="module")
def empty(shop: Database) -> Document:
    return read(page(facts_of(shop, "fbe")))


def test_the_same_data_give_the_same_bytes(shop: Database, html: str) -> None:
    assert page(facts_of(shop, "main")) == html


def test_nothing_in_it_is_fetched_or_run(html: str, document: Document) -> None:
    assert not document.all("script", "link", "img", "iframe", "object", "form")
    assert all(link["href"].startswith("#") for link in document.all("a", "use"))
    assert "@import" not in html
    assert set(re.findall(r"https?://[^\"' ]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert not [name for _, attributes in document.elements for name in attributes if name.startswith("on")]


def test_a_policy_forbids_scripts_even_if_one_slipped_in(document: Document) -> None:
    (policy,) = [meta["content"] for meta in document.all("meta") if "content-security-policy" in str(meta).lower()]
    assert "default-src 'none'" in policy
    assert "script" not in policy


def test_texts_of_strangers_are_shown_as_they_are_and_isolated(html: str, document: Document) -> None:
    shown = " ".join(HOSTILE.replace("\u0007", "\ufffd").split())
    assert document.text.count(shown) >= 2, "in a table and in the incident"
    assert "sale_price is '<b>free</b>', not a number" in document.text
    assert "\u202e" not in re.sub(r"<bdi>.*?</bdi>", "", html, flags=re.DOTALL)


def test_every_section_has_its_heading_and_its_place_in_the_contents(document: Document) -> None:
    links = [link["href"][1:] for link in document.all("a") if link["href"] != "#main"]
    assert links[: len(_SECTIONS)] == _SECTIONS
    assert set(links) == set(_SECTIONS)
    assert [one["id"] for one in document.all("section") if "id" in one] == _SECTIONS
    ids = {attributes["id"] for _, attributes in document.elements if "id" in attributes}
    assert all(section["aria-labelledby"] in ids for section in document.all("section"))


def test_no_id_stands_twice(document: Document) -> None:
    ids = Counter(attributes["id"] for _, attributes in document.elements if "id" in attributes)
    assert ids.most_common(1)[0][1] == 1


def test_tables_have_captions_and_every_cell_its_label(document: Document) -> None:
    assert len(document.all("table")) == len(document.all("caption")) >= 8
    assert all(head["scope"] in ("col", "row") for head in document.all("th"))
    assert all(cell["data-label"] for cell in document.all("td"))


def test_each_chart_is_an_image_with_words(document: Document) -> None:
    charts = document.all("svg")
    assert len(charts) == 6
    assert all(chart["role"] == "img" and chart["aria-labelledby"] for chart in charts)


def test_it_says_of_which_publish_it_is(shop: Database, document: Document) -> None:
    (newest,) = rows(shop, "SELECT sync_id, completed_at FROM emag_offer_syncs ORDER BY started_at DESC LIMIT 1")
    assert f"as published {newest.completed_at:%Y-%m-%d %H:%M} UTC by sync {newest.sync_id}" in document.text


def test_the_headline_is_what_the_tables_hold_with_its_change_in_a_day_and_a_week(
    shop: Database, document: Document
) -> None:
    (now,) = rows(
        shop,
        """SELECT count(*) AS offers, count(*) FILTER (WHERE is_saleable) AS saleable,
                  round(sum(general_stock * sale_price)) AS value
           FROM emag_product_offers WHERE deleted_at IS NULL""",
    )
    assert f"Offers {now.offers} {now.saleable} can be bought offers: +1 in a day, +7 in a week" in document.text
    assert f"Saleable share {100 * now.saleable / now.offers:.1f} %" in document.text
    assert f"Stock value {now.value:,} RON without VAT" in document.text


def test_each_reason_is_told_with_its_remedy(shop: Database, document: Document) -> None:
    issues = rows(shop, "SELECT DISTINCT reason, remedy FROM emag_offer_issues")
    assert issues
    for issue in issues:
        assert f"{issue.reason} {issue.remedy}" in document.text


def test_why_the_marketplace_refused_is_told_in_one_sentence(document: Document) -> None:
    assert f"The marketplace says: {REASON} " in document.text
    assert "Documentation rejected" not in document.text


def test_the_proof_of_the_last_publish_is_told_in_words(document: Document) -> None:
    told = "The marketplace counted 59 offers before and 59 after the scan: 58 staged from pages + 1 only in quarantine"
    assert told in document.text


def test_what_a_sync_counts_as_rows_is_not_called_offers(document: Document) -> None:
    assert "The column “Rows on pages” counts each row that the pages of a sync showed, once." in document.text
    assert [cell["data-label"] for cell in document.all("td")].count("Rows on pages") > 1


def test_the_scans_troubles_are_told_in_numbers(document: Document) -> None:
    assert (
        "40 calls were answered, 3 failed, 2 of these over the rate limit; the longest pause took 12" in document.text
    )


def test_an_account_whose_first_sync_was_interrupted_has_a_report(database: Database) -> None:
    lease = begin(database)
    ledger.end(database, lease, "failed", error_class="Interrupted", message="it was told to stop", remedy="Do this")
    told = read(page(facts_of(database, "main"))).text
    assert "The newest sync has not published." in told
    assert "last 1 sync" not in told


def test_an_account_of_which_nothing_is_known_gets_words_instead_of_empty_tables(empty: Document) -> None:
    assert "nothing has been published yet" in empty.text
    for words in ("No day is known yet", "No sync has begun yet", "No page has been read yet", "No row of the newest"):
        assert words in empty.text
    assert empty.text.count("Nothing has been published yet.") == 4
    assert not empty.all("table")
    assert "None" not in empty.text
    assert "nan" not in empty.text.lower()


def test_marts_that_are_behind_are_said_to_be(database: Database) -> None:
    sync(database, [offer(1)])
    refresh(database, OFFER_ISSUES, "main")
    assert "older publish" not in page(facts_of(database, "main"))
    sync(database, [offer(1, sale_price=Decimal(9))])
    assert "offer_issues still shows an older publish" in read(page(facts_of(database, "main"))).text


def test_an_account_on_its_first_day_has_nothing_to_compare_with(database: Database) -> None:
    published = sync(database, [offer(1)])
    told = read(page(facts_of(database, "main"))).text
    assert f"No day before {published.published_at.date()} is known yet" in told
    assert "Offers 1 1 can be bought Saleable share 100.0 %" in told
    assert "The mart offer_issues has not been filled yet" in told


def test_the_first_publish_says_nothing_of_what_changed_and_one_thing_is_no_plural(database: Database) -> None:
    sold_out = {"general_stock": 0, "is_saleable": False, "buy_button_rank": None}
    ranked = {"buy_button_rank": 1, "number_of_offers": 2, "offer_validation_status": 1}
    first = [offer(1, general_stock=1, **ranked), offer(2, offer_validation_status=1, **sold_out)]
    published = sync(database, first)
    fill_marts(database)
    told = read(page(facts_of(database, "main"))).text
    assert "have it nothing to compare with yet" in told
    assert "There is only one publish so far, so nothing is known to be won or lost." in told
    assert " won," not in told
    assert "About to run out – saleable offers, within a week: no stock has been seen falling yet" in told
    assert "No price moved" not in told
    assert f"from {published.published_at.date()} to {published.published_at.date()}" not in told
    assert "1 of 2 offers has at least one reason" in told
    assert "correct the stock that is reported 1 0 –" in told, "what it sold per day is not known"
    for plural in ("1 pieces", "The last days;", "The 1 offers", "The last 1 syncs", "1 calls"):
        assert plural not in told
    sync(database, [offer(1, general_stock=1, **(ranked | {"buy_button_rank": 2})), first[1]])
    fill_marts(database)
    told = read(page(facts_of(database, "main"))).text
    assert "have it 1 lost since the first publish" in told
    assert "The last 2 syncs" in told


def test_a_mart_without_a_row_is_told_apart_from_one_that_was_never_filled(database: Database) -> None:
    sync(database, [offer(1, general_stock=5, offer_validation_status=1)])
    fill_marts(database)
    told = read(page(facts_of(database, "main"))).text
    for words in ("Every offer can be bought.", "No offer has a rank.", "No offer is known to run out within 30 days"):
        assert words in told
    assert "has not been filled" not in told


def test_amounts_in_another_currency_are_in_no_sum_and_say_their_own(database: Database) -> None:
    sync(database, [offer(1, currency="RON", sale_price=Decimal(10), general_stock=9)])
    let_pass(database, timedelta(days=2))
    sync(
        database,
        [
            offer(1, currency="RON", sale_price=Decimal(10), general_stock=1),
            offer(2, currency="RON", sale_price=Decimal(7), general_stock=2, status=0, is_saleable=False),
            offer(3, currency="EUR", sale_price=Decimal(9999), general_stock=1000, status=0, is_saleable=False),
        ],
    )
    fill_marts(database)
    told = read(page(facts_of(database, "main"))).text
    assert "Stock value 24 RON without VAT, 3 pieces without 1 offer in EUR: 1,000 pieces" in told
    assert "2 (1 not in RON) 14 –" in told, "of the offers, which are not in the amount"
    assert "Sums are in RON only: 1 offer in EUR is in no sum" in told
    assert "9,999,000.00 EUR" in told
    assert "10,000,0" not in told


def test_sold_out_offers_are_told_with_the_sales_that_they_lose(database: Database) -> None:
    sync(database, [offer(1, name="Lanternă", currency="RON", sale_price=Decimal(10), general_stock=8)])
    let_pass(database, timedelta(days=2))
    sync(
        database,
        [offer(1, name="Lanternă", currency="RON", sale_price=Decimal(10), general_stock=0, is_saleable=False)],
    )
    fill_marts(database)
    told = read(page(facts_of(database, "main"))).text
    assert (
        "What is sold out sold for 40 RON without VAT per day while it had stock, judging by 1 fall of the stock "
        "of 1 offer." in told
    )
    assert re.search(
        r"Sold out: the one that is known to lose sales.*Lanternă offer 1 \d{4}-\d\d-\d\d 1 fall, 8 pieces 40\.00", told
    )


def test_what_the_first_publish_showed_began_then_or_before(database: Database) -> None:
    sync(database, [offer(1, general_stock=0, is_saleable=False, offer_validation_status=1), _of_stock(2, 9)])
    let_pass(database, timedelta(days=2))
    sync(database, [offer(1, general_stock=0, is_saleable=False, offer_validation_status=1), _of_stock(2, 5)])
    let_pass(database, timedelta(days=2))
    sync(database, [offer(1, general_stock=0, is_saleable=False, offer_validation_status=1), _of_stock(2, 0)])
    fill_marts(database)
    told = read(page(facts_of(database, "main"))).text
    first, newest = (
        rows(database, f"SELECT {which}(published_at)::date AS day FROM emag_publishes")[0].day
        for which in ("min", "max")
    )
    assert f"There is no stock, at least since {first}." in told
    assert f"There is no stock, since {newest}." in told


def _of_stock(offer_id: int, stock: int) -> Offer:
    return offer(offer_id, general_stock=stock, is_saleable=stock > 0, offer_validation_status=1)


def test_sales_that_rest_on_one_great_fall_of_the_stock_are_told_apart(database: Database) -> None:
    """It may be a correction: alone it has nothing to be compared with (`emag_sales_pace` counts it)."""
    ron = {"currency": "RON", "sale_price": Decimal(10)}
    gone = {"general_stock": 0, "is_saleable": False}
    sync(
        database, [offer(1, name="Lanternă", general_stock=8, **ron), offer(2, name="Covor", general_stock=900, **ron)]
    )
    let_pass(database, timedelta(days=2))
    sync(database, [offer(1, name="Lanternă", **ron, **gone), offer(2, name="Covor", **ron, **gone)])
    fill_marts(database)
    facts = facts_of(database, "main")
    first = tasks(facts)[0]
    assert (first.stake, first.about) == ("40 RON per day", "Lanternă")
    assert first.sentence == (
        "2 offers are sold out (judging by 1 fall of the stock of 1 offer; not counted: 4,500 RON per day on a single "
        "fall of more than 10 pieces, 1 offer); of those that were selling, this one loses the most:"
    )
    told = read(page(facts)).text
    assert (
        "sold for 4,540 RON without VAT per day while it had stock, judging by 2 falls of the stock of 2 offers. "
        "Of that, 4,500 rest on a single fall of more than 10 pieces (1 offer): it may be a correction and not a sale, "
        "is not counted under Today, and comes last in the list." in told
    )
    # two days and the moment that the publishes took
    assert re.search(
        r"1 fall, 8 pieces (40\.00|39\.9\d).*1 fall, 900 pieces; a correction\? 4,(500\.00|499\.\d\d)", told
    )
    sync(database, [offer(1, name="Lanternă", general_stock=1, **ron), offer(2, name="Covor", **ron, **gone)])
    fill_marts(database)
    first = next(task for task in tasks(facts_of(database, "main")) if "sold out" in task.sentence)
    assert (first.stake, first.about) == ("sales", "Covor")


def test_what_runs_out_but_cannot_be_bought_is_said_to(database: Database) -> None:
    sync(database, [offer(1, name="Covor", general_stock=9)])
    let_pass(database, timedelta(days=2))
    sync(database, [offer(1, name="Covor", general_stock=5, status=0, is_saleable=False)])
    fill_marts(database)
    told = read(page(facts_of(database, "main"))).text
    assert "1 of those with stock cannot be bought now." in told
    assert "Covor offer 1 cannot be bought now 5" in told


def test_a_day_without_a_publish_does_not_look_calm(database: Database) -> None:
    first = sync(database, [offer(1)]).published_at
    let_pass(database, timedelta(days=2))
    sync(database, [offer(1)])
    fill_marts(database)
    yesterday = (first - timedelta(days=1)).date()
    refresh(database, DAILY_ASSORTMENT, "main", yesterday)
    told = read(page(facts_of(database, "main"))).text
    at = first - timedelta(days=2)
    assert f"{yesterday} nothing published; as of {at:%Y-%m-%d %H:%M} UTC 1 100.0 % 0 0" in told
    assert f"{at.date()} 1 100.0 % – 0" in told
