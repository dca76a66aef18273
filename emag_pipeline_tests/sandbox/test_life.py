"""The catalogue's life: offers hidden, shown, added, removed and edited, days that pass, changes that happen."""

import time
from typing import Any

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox

Offers = dict[int, dict[str, Any]]


def offers_of(sandbox: SandboxServer) -> Offers:
    return {offer["id"]: offer for offer in sandbox.truth("main")}


def changed_fields(before: Offers, after: Offers) -> set[str]:
    both = before.keys() & after.keys()
    return {name for one in both for name in before[one] if before[one][name] != after[one][name]}


def test_a_hidden_offer_is_on_no_page_but_found_by_id(sandbox: SandboxServer, reader: Reader) -> None:
    offer_id = sandbox.ids("main")[5]
    sandbox.hide("main", [offer_id])
    assert offer_id not in reader.all_ids()
    assert reader.by_id(offer_id) is not None
    assert reader.results("product_offer/count")["noOfItems"] == 249


def test_a_hidden_offer_may_still_be_counted(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.hide("main", sandbox.ids("main")[:2], counted=True)
    assert reader.results("product_offer/count")["noOfItems"] == 250
    assert len(reader.all_ids()) == 248


def test_a_shown_offer_is_back_on_its_place(sandbox: SandboxServer, reader: Reader) -> None:
    before = sandbox.ids("main")
    sandbox.hide("main", before[5:9], counted=True)
    sandbox.show("main", before[5:9])
    assert reader.all_ids() == before
    assert sandbox.count("main") == 250


def test_a_removed_offer_is_gone_everywhere(sandbox: SandboxServer, reader: Reader) -> None:
    offer_id = sandbox.ids("main")[5]
    sandbox.remove("main", [offer_id])
    assert offer_id not in reader.all_ids()
    assert reader.by_id(offer_id) is None
    assert sandbox.truth_offer("main", offer_id) is None


def test_a_removed_offer_can_be_shown_again(sandbox: SandboxServer, reader: Reader) -> None:
    before = offers_of(sandbox)
    sandbox.remove("main", list(before)[:3])
    sandbox.show("main", list(before)[:3])
    assert offers_of(sandbox) == before


def test_a_removed_offers_id_is_given_to_no_other(sandbox: SandboxServer) -> None:
    before = sandbox.ids("main")
    sandbox.remove("main", before[-2:])
    assert not set(sandbox.add("main", 5)) & set(before)


def test_new_offers_arrive_at_the_end(sandbox: SandboxServer, reader: Reader) -> None:
    before = sandbox.ids("main")
    added = sandbox.add("main", 3)
    assert reader.all_ids() == [*before, *added]


def test_new_offers_may_arrive_in_front(sandbox: SandboxServer, reader: Reader) -> None:
    before = sandbox.ids("main")
    added = sandbox.add("main", 2, place="front")
    assert reader.all_ids() == [*added[::-1], *before]


def test_arrivals_go_where_the_settings_say(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(arrivals="front")
    (added,) = sandbox.add("main")
    assert Reader(sandbox).ids(1)[0] == added


def test_offers_with_given_ids_stand_where_the_order_puts_them(sandbox: SandboxServer, reader: Reader) -> None:
    ids = [1, 100_500, 4_294_967_295]
    before = sandbox.ids("main")
    sandbox.add_ids("main", ids)
    assert reader.all_ids() == sorted({*before, *ids})
    assert all(reader.by_id(offer_id) for offer_id in ids)


def test_an_arrival_never_takes_an_id_that_was_given_by_hand(sandbox: SandboxServer) -> None:
    following = sandbox.add("main", 3)
    sandbox.remove("main", following)
    by_hand = [following[-1] + step for step in range(1, 60)]
    sandbox.add_ids("main", by_hand)
    assert not set(sandbox.add("main", 9)) & set(by_hand)
    assert sandbox.count("main") == len(set(sandbox.ids("main"))) == 250 + 59 + 9


def test_an_edit_sets_exactly_these_fields(sandbox: SandboxServer, reader: Reader) -> None:
    before = reader.page()[3]
    sandbox.edit("main", before["id"], sale_price=12.3456, name="Șurubelniță nouă")
    assert reader.page()[3] == before | {"sale_price": 12.3456, "name": "Șurubelniță nouă"}


def test_an_edit_stays_whatever_the_days_bring(sandbox: SandboxServer) -> None:
    offer_id = sandbox.ids("main")[-1]
    sandbox.edit("main", offer_id, general_stock=77)
    sandbox.advance(days=3)
    offer = sandbox.truth_offer("main", offer_id)
    assert offer is None or offer["general_stock"] == 77


def test_an_id_cannot_be_edited(sandbox: SandboxServer) -> None:
    with pytest.raises(ValueError, match="id cannot be edited"):
        sandbox.edit("main", sandbox.ids("main")[0], id=5)


def test_days_move_prices_stocks_and_the_assortment(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(accounts={"main": 1000})
    before = offers_of(sandbox)
    sandbox.advance(days=2)
    after = offers_of(sandbox)
    assert {"sale_price", "general_stock"} <= changed_fields(before, after)
    assert len(before.keys() - after.keys()) == 4
    assert len(after.keys() - before.keys()) == 5


def test_a_long_time_rewrites_pages_and_verdicts_too(sandbox: SandboxServer) -> None:
    before = offers_of(sandbox)
    sandbox.advance(days=60)
    assert {"description", "images", "validation_status"} <= changed_fields(before, offers_of(sandbox))


def test_days_do_not_pass_backwards(sandbox: SandboxServer) -> None:
    with pytest.raises(ValueError, match="must be 0 or more"):
        sandbox.advance(days=-1)


def test_two_catalogues_that_lived_alike_are_alike(open_sandbox: OpenSandbox) -> None:
    lives = [open_sandbox(seed=3) for _ in range(2)]
    for sandbox in lives:
        sandbox.advance(days=2)
        sandbox.advance(changes=50)
    first, second = map(offers_of, lives)
    assert first == second


def test_an_advance_may_concern_one_account_only(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(accounts={"main": 100, "fbe": 100})
    before = list(sandbox.truth("fbe"))
    sandbox.advance(account="main", days=5)
    assert list(sandbox.truth("fbe")) == before


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        (
            "price",
            {
                "sale_price",
                "recommended_price",
                "best_offer_sale_price",
                "best_offer_recommended_price",
                "number_of_offers",
                "buy_button_rank",
            },
        ),
        ("stock", {"general_stock", "estimated_stock"}),
        ("edition", {"description", "images"}),
    ],
)
def test_a_change_of_one_kind_touches_only_its_fields(sandbox: SandboxServer, kind: str, allowed: set[str]) -> None:
    before = offers_of(sandbox)
    sandbox.advance(changes=80, kind=kind)
    changed = changed_fields(before, offers_of(sandbox))
    assert changed
    assert changed <= allowed


def test_a_change_of_standing_touches_verdicts_and_leaves_prices_and_stocks(sandbox: SandboxServer) -> None:
    before = offers_of(sandbox)
    sandbox.advance(changes=80, kind="standing")
    changed = changed_fields(before, offers_of(sandbox))
    assert "validation_status" in changed
    assert not changed & {"sale_price", "general_stock", "name", "description"}


def test_departures_and_arrivals_happen_as_often_as_told(sandbox: SandboxServer) -> None:
    before = set(sandbox.ids("main"))
    sandbox.advance(changes=7, kind="departure")
    sandbox.advance(changes=3, kind="arrival")
    after = set(sandbox.ids("main"))
    assert (len(before - after), len(after - before)) == (7, 3)


def test_an_emptied_catalogue_lives_on(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(accounts={"main": 3})
    sandbox.advance(changes=9, kind="departure")
    assert sandbox.count("main") == 0
    sandbox.advance(changes=100)
    assert sandbox.count("main") == len(sandbox.ids("main"))


def test_changes_per_second_happen_between_calls(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(changes_per_second=2000)
    reader = Reader(sandbox)
    before = reader.page(1)
    time.sleep(0.05)
    assert reader.page(1) != before


def test_changes_per_second_are_seen_by_counts(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(changes_per_second=5000)
    reader = Reader(sandbox)
    counts = set()
    for _ in range(10):
        time.sleep(0.02)
        counts.add(reader.results("product_offer/count")["noOfItems"])
    assert len(counts) > 1


def test_changes_per_second_may_stop(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(changes_per_second=5000)
    sandbox.settings(changes_per_second=0)
    before = offers_of(sandbox)
    time.sleep(0.05)
    assert offers_of(sandbox) == before


def test_the_truth_of_a_living_catalogue_is_what_its_pages_show(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.advance(days=10)
    sandbox.advance(changes=300)
    sandbox.hide("main", sandbox.ids("main")[10:20])
    shown = [offer for number in (1, 2, 3) for offer in reader.page(number)]
    assert shown == list(sandbox.truth("main"))
