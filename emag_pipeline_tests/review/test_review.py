from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.model import Reject
from emag_pipeline.review import deviations
from emag_pipeline.review.checks import ANSWERS_ARE_AS_KNOWN, CHECKS, OFFERS_ARE_FRESH, SAMPLE, Review, review
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, sync

_EANS = "ean_check_digits_are_right"
_WRONG = ("5941234567890",)


def _review(database: Database, check: str, currency: str | None = "RON") -> Review:
    return review(database, check, "main", currency=currency, price_move=0.5)


def _found(database: Database, check: str, currency: str | None = "RON") -> dict[int, str]:
    """What is wrong, by offer."""
    return {row["emag_offer_id"]: row["what"] for row in _review(database, check, currency).sample}


def _change(database: Database, statement: str) -> None:
    with database.transaction() as tx:
        tx.run(statement)


def _good(offer_id: int, **columns: Any) -> Any:
    """An offer that no check has anything against."""
    return offer(offer_id, currency="RON", part_number_key=f"D{offer_id}", **columns)


@pytest.mark.parametrize("check", [one.name for one in CHECKS if one not in (OFFERS_ARE_FRESH, ANSWERS_ARE_AS_KNOWN)])
def test_nothing_is_found_before_the_first_publish_nor_in_a_good_catalogue(database: Database, check: str) -> None:
    assert _found(database, check) == {}
    sync(database, [_good(1), _good(2, best_offer_sale_price=Decimal("10.5"), buy_button_rank=1)])
    assert _found(database, check) == {}


# published_equals_scan


def test_what_differs_from_the_scan_is_found_offer_by_offer(database: Database) -> None:
    sync(database, [offer(1), offer(2), offer(3), offer(4)])
    _change(database, "UPDATE emag_product_offers SET sale_price = 9 WHERE emag_offer_id = 1")
    _change(database, "UPDATE emag_products SET row_hash = 'x' WHERE emag_offer_id = 2")
    _change(database, "DELETE FROM emag_product_offers WHERE emag_offer_id = 3")
    assert _found(database, "published_equals_scan") == {
        1: "its prices, stock or status are not those that were read",
        2: "its texts or pictures are not those that were read",
        3: "was read, and is not published",
    }


def test_without_its_fingerprint_an_offer_is_published_anew_as_read(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    _change(database, "UPDATE emag_product_offers SET sale_price = 9 WHERE emag_offer_id = 1")
    _change(database, "UPDATE emag_product_offers SET row_hash = '' WHERE emag_offer_id = 1")
    assert sync(database, [offer(1), offer(2)]).updated == 1
    assert _found(database, "published_equals_scan") == {}


def test_a_text_that_somebody_else_wrote_is_found_and_published_anew_without_its_fingerprint(
    database: Database,
) -> None:
    read = [offer(1), offer(2), offer(3, description="d" * 9000), offer(4), offer(5)]
    sync(database, read)
    _change(database, "UPDATE emag_products SET name = 'hacked' WHERE emag_offer_id = 1")
    _change(database, "UPDATE emag_products SET ean = '{1}' WHERE emag_offer_id = 2")
    _change(database, "UPDATE emag_products SET description = NULL WHERE emag_offer_id = 3")
    _change(database, "UPDATE emag_products SET images = '[]' WHERE emag_offer_id = 4")
    sync(database, read)
    texts = "its texts or pictures are not those that were read"
    assert _found(database, "published_equals_scan") == dict.fromkeys((1, 2, 3, 4), texts)
    _change(database, "UPDATE emag_products SET row_hash = '' WHERE emag_offer_id <= 4")
    assert sync(database, read).updated == 4
    assert _found(database, "published_equals_scan") == {}


def test_of_a_large_account_texts_are_compared_by_lot_and_all_in_the_end(database: Database) -> None:
    read = [offer(id_) for id_ in range(1, 4)]
    sync(database, read)
    _change(database, "UPDATE emag_products SET name = 'hacked'")
    seen: dict[int, int] = {}
    while len(seen) < 3:
        sync(database, read)
        # the ledger's count says of how many parts one is drawn
        _change(database, "UPDATE emag_offer_syncs SET offers_unchanged = 30000 WHERE status = 'completed'")
        found = _found(database, "published_equals_scan")
        assert len(found) <= 1, "more than its part was compared"
        for one in found:
            seen[one] = seen.get(one, 0) + 1
        assert sum(seen.values()) < 100, "a part is never drawn"


def test_a_published_offer_that_nobody_read_is_found(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    sync(database, [offer(1)])
    assert _found(database, "published_equals_scan") == {2: "is published, and was not read"}


def test_a_flagged_offer_keeps_its_last_good_state_and_is_right_so(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    bad = Reject(2, "the price is not a number", "{}")
    sync(database, [offer(1)], rejects=[bad])
    assert _found(database, "published_equals_scan") == {}


def test_a_deleted_offer_is_not_missed(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    sync(database, [offer(1)], gone=[2])
    assert _found(database, "published_equals_scan") == {}


def test_without_its_staging_the_ledgers_count_is_told_instead(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    _change(database, "DELETE FROM emag_scan_pages")
    _change(database, "DELETE FROM emag_product_offers WHERE emag_offer_id = 2")
    found = _review(database, "published_equals_scan")
    assert found.found == 0
    told = ("is_staged", "offers_in_ledger", "offers_published")
    assert [found.numbers[name] for name in told] == [False, 2, 1]


def test_a_sync_under_way_is_not_compared(database: Database) -> None:
    sync(database, [offer(1)])
    begin(database)
    assert _found(database, "published_equals_scan") == {}


# prices_are_plausible


def test_a_price_that_moved_by_more_than_the_bound_is_found_until_the_next_publish(database: Database) -> None:
    sync(database, [offer(1), offer(2), offer(3)])
    moved = [offer(1, sale_price=Decimal(21)), offer(2, sale_price=Decimal(5)), offer(3, sale_price=Decimal("15.75"))]
    sync(database, moved)
    found = _review(database, "prices_are_plausible")
    assert [(row["emag_offer_id"], row["what"], row["previous_price"]) for row in found.sample] == [
        (1, "rose by 100.0 %", Decimal("10.5")),
        (2, "fell by 52.4 %", Decimal("10.5")),
    ]
    assert found.numbers == {"price_moves": 3, "largest_move_percent": Decimal("100.0")}
    sync(database, moved)
    assert _found(database, "prices_are_plausible") == {}


def test_a_price_in_another_currency_has_not_moved(database: Database) -> None:
    sync(database, [offer(1, currency="RON", sale_price=Decimal(100))])
    sync(database, [offer(1, currency="EUR", sale_price=Decimal(20))])
    assert _found(database, "prices_are_plausible") == {}


def test_an_offer_that_is_new_or_came_back_has_no_price_to_move_from(database: Database) -> None:
    sync(database, [offer(1), offer(2)])
    sync(database, [offer(1)], gone=[2])
    sync(database, [offer(1), offer(2, sale_price=Decimal(99)), offer(3, sale_price=Decimal(99))])
    assert _found(database, "prices_are_plausible") == {}


def test_a_price_that_rose_from_0_or_fell_to_0_is_found(database: Database) -> None:
    """A share of 0 has no measure, so every rise from 0 is beyond the bound."""
    sync(database, [offer(1, sale_price=Decimal(0)), offer(2), offer(3, sale_price=Decimal(0)), offer(4)])
    sync(database, [offer(1), offer(2, sale_price=Decimal(0)), offer(3), offer(4, sale_price=Decimal(11))])
    found = _review(database, "prices_are_plausible")
    assert [(row["emag_offer_id"], row["what"], row["previous_price"]) for row in found.sample] == [
        (1, "rose from 0", Decimal(0)),
        (2, "its price is not above 0; fell by 100.0 %", Decimal("10.5")),
        (3, "rose from 0", Decimal(0)),
    ]
    assert found.numbers == {"price_moves": 4, "largest_move_percent": Decimal("100.0")}


def test_a_price_that_is_none_or_above_the_recommended_one_is_found(database: Database) -> None:
    wrong = [
        offer(1, sale_price=None),
        offer(2, sale_price=Decimal(0)),
        offer(3, recommended_price=Decimal("10.49")),
        offer(4, recommended_price=Decimal(0)),
    ]
    sync(database, wrong)
    assert _found(database, "prices_are_plausible") == {
        1: "has no price",
        2: "its price is not above 0",
        3: "costs more than its recommended price",
    }


# currencies_are_the_marketplaces


def test_another_currency_than_the_marketplaces_is_found(database: Database) -> None:
    sync(database, [offer(1, currency="RON"), offer(2, currency="EUR"), offer(3)])
    expected = {2: "is priced in EUR", 3: "has no currency"}
    assert _found(database, "currencies_are_the_marketplaces") == expected


def test_where_the_currency_is_not_known_the_most_frequent_one_is_expected(database: Database) -> None:
    sync(database, [offer(1, currency="EUR"), offer(2, currency="EUR"), offer(3, currency="HUF")])
    assert _found(database, "currencies_are_the_marketplaces", currency=None) == {3: "is priced in HUF"}


# ean_check_digits_are_right; the good ones are the examples of GS1 and of the encyclopedias


@pytest.mark.parametrize("ean", ["96385074", "036000291452", "4006381333931", "5901234123457", "10012345678902"])
def test_a_right_check_digit_is_not_found_and_any_other_one_is(database: Database, ean: str) -> None:
    wrong = [f"{ean[:-1]}{digit}" for digit in "0123456789" if digit != ean[-1]]
    sync(database, [offer(number, ean=(code,)) for number, code in enumerate([ean, *wrong])])
    assert _found(database, _EANS) == {
        number: f"{code} should end in {ean[-1]}" for number, code in enumerate(wrong, start=1)
    }


def test_lengths_without_a_check_digit_are_counted_and_not_found(database: Database) -> None:
    sync(database, [offer(number, ean=("12345678901"[:length],)) for number, length in enumerate([6, 7, 9, 10, 11])])
    found = _review(database, _EANS)
    assert (found.found, found.numbers) == (0, {"eans": 5, "without_check_digit": 5})


def test_an_offers_wrong_eans_are_told_together(database: Database) -> None:
    sync(database, [offer(1, ean=("5941234567899", "5941234567890", "12345", "59412345678AB"))])
    assert _found(database, _EANS) == {
        1: "12345 is not a number of 6 to 14 digits; 5941234567890 should end in 9; "
        "59412345678AB is not a number of 6 to 14 digits"
    }


# part_number_keys_are_unique


def test_two_offers_on_one_product_are_found_each_naming_the_other(database: Database) -> None:
    sync(database, [offer(1, part_number_key="D1"), offer(2, part_number_key="D1"), offer(3), offer(4)])
    assert _found(database, "part_number_keys_are_unique") == {
        1: "is the product of 2 too",
        2: "is the product of 1 too",
    }


def test_a_blank_key_is_no_product(database: Database) -> None:
    sync(database, [offer(one, part_number_key=key) for one, key in enumerate(("", "", " ", " ", "\t", "\t"))])
    assert _found(database, "part_number_keys_are_unique") == {}
    numbers = _review(database, "part_number_keys_are_unique").numbers
    assert (numbers["products"], numbers["without_key"]) == (0, 6)


def test_the_product_of_a_deleted_offer_or_another_account_is_not_shared(database: Database) -> None:
    sync(database, [offer(1, part_number_key="D1"), offer(2)])
    sync(database, [offer(2, part_number_key="D1")], gone=[1])
    sync(database, [offer(3, part_number_key="D1")], account="fbe")
    assert _found(database, "part_number_keys_are_unique") == {}


# best_prices_are_consistent


def test_best_prices_that_do_not_fit_are_found_among_offers_that_can_be_bought(database: Database) -> None:
    dearer, cheaper = Decimal(11), Decimal(10)
    sync(
        database,
        [
            offer(1, best_offer_sale_price=dearer, buy_button_rank=2),
            offer(2, best_offer_sale_price=cheaper, buy_button_rank=1),
            offer(3, best_offer_sale_price=cheaper, buy_button_rank=2),
            offer(4, best_offer_sale_price=dearer, buy_button_rank=2, is_saleable=False),
        ],
    )
    assert _found(database, "best_prices_are_consistent") == {
        1: "is cheaper than the best offer",
        2: "has the buy button at another price than the best offer",
    }


# samples and acceptances, the same for every check


def test_the_sample_is_capped_and_the_count_is_not(database: Database) -> None:
    sync(database, [offer(number, ean=_WRONG) for number in range(1, SAMPLE + 6)])
    found = _review(database, _EANS)
    assert (found.found, len(found.sample)) == (SAMPLE + 5, SAMPLE)


def test_a_row_names_the_offer_first_and_then_what_is_wrong(database: Database) -> None:
    sync(database, [offer(1, ean=_WRONG, part_number="P-1", name="Cafea")])
    (row,) = _review(database, _EANS).sample
    assert list(row.items())[:3] == [("emag_offer_id", 1), ("part_number", "P-1"), ("name", "Cafea")]


def _accept(database: Database, *offers: int) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    deviations.accept(database, "main", _EANS, offers, reason="our own codes", until=tomorrow, by="ana")


def test_an_accepted_offer_is_shown_apart_and_no_longer_found(database: Database) -> None:
    sync(database, [offer(1, ean=_WRONG), offer(2, ean=_WRONG)])
    _accept(database, 1)
    found = _review(database, _EANS)
    assert (found.found, found.accepted) == (1, 1)
    assert [row["emag_offer_id"] for row in found.sample] == [2]
    assert [row["emag_offer_id"] for row in found.accepted_sample] == [1]


def test_an_acceptance_without_offers_holds_for_the_check_in_the_whole_account(database: Database) -> None:
    sync(database, [offer(1, ean=_WRONG, sale_price=None), offer(2, ean=_WRONG)])
    _accept(database)
    found = _review(database, _EANS)
    assert (found.found, found.accepted) == (0, 2)
    assert _review(database, "prices_are_plausible").found == 1


def test_an_acceptance_that_expired_or_was_withdrawn_hides_nothing(database: Database) -> None:
    sync(database, [offer(1, ean=_WRONG), offer(2, ean=_WRONG)])
    _accept(database, 1)
    let_pass(database, timedelta(days=2))
    _accept(database, 2)
    deviations.withdraw(database, 2)
    assert (_review(database, _EANS).found, _review(database, _EANS).accepted) == (2, 0)
