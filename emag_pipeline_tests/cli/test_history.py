import json
from decimal import Decimal
from pathlib import Path

import pytest

from emag_pipeline.store.engine import Database
from emag_pipeline.wording import iso
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sync.pasts import Past, good


@pytest.fixture
def past(database: Database) -> Past:
    """Offer 1: dearer after two days, gone after two more, back without stock after another."""
    past = Past(database)
    past.publish(good(1), good(2))
    past.wait(days=2)
    past.publish(good(1, sale_price=Decimal("11.0000")), good(2))
    past.wait(days=2)
    past.publish(good(2))
    past.wait(days=1)
    past.publish(good(1, sale_price=Decimal("11.0000"), general_stock=0), good(2))
    past.wait(hours=3)
    return past


def test_a_pipe_gets_a_plain_line_a_state_and_a_line_for_the_gap(past: Past, database_url: str, tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "history", "main", "1", DATABASE_SYNC_URL=database_url)
    assert (done.returncode, done.stderr) == (0, "")
    title, _, *states, price, stock = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert title == "main, offer 1: Cafea măcinată 1"
    assert [line.split(" ", 2)[2] for line in states] == [
        "at least 2 days active yes 10.5000 RON 5",
        "2 days active yes 11.0000 RON ▲ 5",
        "1 day deleted The marketplace did not have it",
        "3 hours active no 11.0000 RON 0 There is no stock",
    ]
    assert price.startswith("price ▁")
    assert price.endswith(" 10.5000 to 11.0000 RON")
    assert stock.endswith("▁ 0 to 5")


def test_prices_of_different_currencies_are_drawn_apart_and_never_compared(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    past = Past(database)
    for price, currency in (("100", "RON"), ("120", "RON"), ("20", "EUR"), ("25", "EUR")):
        past.publish(good(1, sale_price=Decimal(price), currency=currency))
        past.wait(days=2)
    done = emag_pipeline(tmp_path, "history", "main", "1", DATABASE_SYNC_URL=database_url)
    *_, first, second, third, fourth, ron, eur, _ = [line.rstrip() for line in done.stdout.splitlines()]
    shown = [" ".join(line.split()).split(" yes ")[1] for line in (first, second, third, fourth)]
    assert shown == ["100.0000 RON 5", "120.0000 RON ▲ 5", "20.0000 EUR 5", "25.0000 EUR ▲ 5"]
    bars, told = ron[7:67], ron[67:].strip()
    assert (set(bars[:14]), set(bars[16:29]), bars[31:].strip(), told) == ({"▁"}, {"█"}, "", "100.0000 to 120.0000 RON")
    bars, told = eur[7:67], eur[67:].strip()
    assert (bars[:29].strip(), set(bars[31:44]), set(bars[46:]), told) == ("", {"▁"}, {"█"}, "20.0000 to 25.0000 EUR")


def test_json_has_every_state_and_the_gap(past: Past, database_url: str, tmp_path: Path) -> None:
    since = iso(past.publishes[1][0])
    arguments = ("history", "main", "1", "--json", "--since", since)
    told = json.loads(emag_pipeline(tmp_path, *arguments, DATABASE_SYNC_URL=database_url).stdout)
    assert (told["account"], told["emag_offer_id"], told["deleted_at"]) == ("main", 1, None)
    dearer, gap, back = told["entries"]
    assert [entry["is_gone"] for entry in (dearer, gap, back)] == [False, True, False]
    assert dearer["valid_from"] == since
    assert set(gap) == {"is_gone", "valid_from", "valid_to"}
    assert back | {"valid_from": ""} == {
        "is_gone": False, "valid_from": "", "valid_to": None, "is_saleable": False, "issue_codes": ["out_of_stock"],
        "status": 1, "sale_price": "11.0000", "best_offer_sale_price": None, "currency": "RON", "general_stock": 0,
        "estimated_stock": None, "buy_button_rank": None, "number_of_offers": None, "offer_validation_status": 1,
        "validation_status": [9], "translation_validation_status": [], "unreadable": [],
    }  # fmt: skip


def test_an_offer_or_an_account_that_there_is_not_is_wrong_usage(past: Past, database_url: str, tmp_path: Path) -> None:
    unknown = emag_pipeline(tmp_path, "history", "main", "77", DATABASE_SYNC_URL=database_url)
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("emag-pipeline: main, offer 77: the offer does not exist: no scan up to")
    shop = emag_pipeline(tmp_path, "history", "shop", "1", DATABASE_SYNC_URL=database_url)
    assert (shop.returncode, shop.stderr) == (
        2, "emag-pipeline: there is no account 'shop'. Use one of: main, fbe.\n",
    )  # fmt: skip
