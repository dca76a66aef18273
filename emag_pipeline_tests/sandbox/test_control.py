"""The control API over HTTP, and its two Python faces."""

import json
from typing import Any

import pytest
import requests

from emag_pipeline.sandbox import SandboxControl, SandboxServer
from emag_pipeline.sandbox.catalogue.validation import is_saleable
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox


@pytest.fixture
def control(sandbox: SandboxServer) -> SandboxControl:
    return SandboxControl(sandbox.url)


def post(sandbox: SandboxServer, verb: str, body: Any) -> requests.Response:
    return requests.post(f"http://{sandbox.host}:{sandbox.port}/_control/{verb}", json=body, timeout=20)


def test_the_truth_can_be_read_with_a_browser(sandbox: SandboxServer) -> None:
    address = f"http://{sandbox.host}:{sandbox.port}/_control/truth?account=main&page=1"
    told = requests.get(address, timeout=20).json()
    assert told["offers"] == sandbox.truth_page("main", 1)
    assert (told["count"], told["shown"], told["pages"]) == (250, 250, 3)


def test_the_truth_of_several_ids_is_that_of_each(sandbox: SandboxServer) -> None:
    one, other, *_ = sandbox.ids("main")
    address = f"http://{sandbox.host}:{sandbox.port}/_control/truth?account=main"
    told = requests.get(f"{address}&id={other}&id={one}&id=5", timeout=20).json()
    assert told["offers"] == [sandbox.truth_offer("main", other), sandbox.truth_offer("main", one)], "5 is none"
    assert post(sandbox, "truth", {"id": [other, one]}).json()["offers"] == told["offers"]
    assert "offers" not in requests.get(address, timeout=20).json(), "counts alone"
    twice = requests.get(f"{address}&page=1&page=2", timeout=20)
    assert (twice.status_code, twice.json()["error"]) == (400, "'page' is given 2 times; only id may be repeated.")


def test_the_truth_tells_which_offers_can_be_bought(sandbox: SandboxServer) -> None:
    offers = list(sandbox.truth("main"))
    assert sandbox.saleable_ids("main") == [offer["id"] for offer in offers if is_saleable(offer)]


def test_the_truth_tells_ids_and_hidden_ids(sandbox: SandboxServer) -> None:
    ids = sandbox.ids("main")
    sandbox.hide("main", ids[:2])
    told = post(sandbox, "truth", {"ids": True}).json()
    assert (told["ids"], told["hidden"]) == (ids[2:], ids[:2])


def test_the_truths_pages_may_be_of_any_size(sandbox: SandboxServer) -> None:
    told = post(sandbox, "truth", {"page": 2, "items_per_page": 200}).json()
    assert (len(told["offers"]), told["pages"]) == (50, 2)


def test_several_faults_come_in_one_list(sandbox: SandboxServer) -> None:
    answer = post(sandbox, "faults", [{"kind": "hang", "count": 1}, {"kind": "reset"}]).json()
    assert [fault["id"] for fault in answer["faults"]] == answer["added"]
    assert [fault["kind"] for fault in answer["faults"]] == ["hang", "reset"]


@pytest.mark.parametrize(
    ("verb", "body", "words"),
    [
        ("explode", {}, "Unknown command 'explode'; the known ones are faults, "),
        ("edit", {"account": "nobody"}, "Unknown account 'nobody'; the known ones are main."),
        ("edit", {"remove": [5]}, "Unknown offer or account 5."),
        ("edit", {"hide": [5]}, "Unknown offer or account 5."),
        ("edit", {"set": {"5": {"name": "x"}}}, "Unknown offer or account 5."),
        ("edit", {"delete": [5]}, "Unknown key 'delete'; the known ones are account, "),
        ("edit", {"add": [0]}, "An offer's id must be from 1 to 4294967295, not 0."),
        ("edit", {"remove": 5}, "The body does not have the form of this command"),
        ("edit", [], "The body must be a JSON object."),
        ("faults", "hang", "A fault must be a JSON object with the key kind"),
        ("advance", {"kind": "earthquake"}, "Unknown kind of change 'earthquake'; the known ones are price, "),
        ("settings", {"speed": 5}, "Unknown setting 'speed'; the known ones are requests_per_second, "),
        ("settings", {"order": "random"}, "order must be one of id, id_desc, shuffled, not 'random'."),
        ("settings", {"latency_seconds": -1}, "latency_seconds must be a number from 0, not -1."),
        (
            "settings",
            {"requests_per_second": 0.5},
            "requests_per_second must be 0 (no limit) or a number from 1, not 0.5.",
        ),
        ("settings", {"quirk_share": 6}, "quirk_share must be a share from 0 to 1, not 6."),
        ("settings", {"users": {"nobody": ["a", "b"]}}, "Unknown offer or account 'nobody'."),
        ("truth", {"page": 0, "items_per_page": 0}, "page and items_per_page must be numbers from 1."),
        ("truth", {"page": 1, "id": 5}, "Request a page or ids, not both."),
        ("truth", {"id": [True]}, "An offer's id must be a whole number, not True."),
        ("stats", {"since": 5}, "Unknown key 'since'"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_with_words(
    sandbox: SandboxServer, verb: str, body: Any, words: str
) -> None:
    answer = post(sandbox, verb, body)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_body_that_is_no_json_is_refused_with_words(sandbox: SandboxServer) -> None:
    address = f"http://{sandbox.host}:{sandbox.port}/_control/edit"
    answer = requests.post(address, data=b"{", timeout=20)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_wrong_settings_change_nothing(sandbox: SandboxServer) -> None:
    before = sandbox.settings()
    with pytest.raises(ValueError, match="speed"):
        sandbox.command("settings", {"users": {"main": ["x", "y"]}, "latency_seconds": 3, "speed": 5})
    assert sandbox.settings() == before


def test_both_faces_refuse_with_the_same_words(sandbox: SandboxServer, control: SandboxControl) -> None:
    words = []
    for face in (sandbox, control):
        with pytest.raises(ValueError, match="Unknown offer") as caught:
            face.remove("main", [5])
        words.append(str(caught.value))
    assert words[0] == words[1]


def test_a_sandbox_elsewhere_is_commanded_like_one_here(sandbox: SandboxServer, control: SandboxControl) -> None:
    ids = control.ids("main")
    control.remove("main", ids[:1])
    control.hide("main", ids[1:2])
    control.edit("main", ids[2], name="Alt nume")
    added = control.add("main", 2)
    control.set_user("main", "elena", "secret")
    fault = control.add_fault("slow", seconds=0)
    assert control.ids("main") == sandbox.ids("main") == [*ids[2:], *added]
    assert control.truth_offer("main", ids[2]) == sandbox.truth_offer("main", ids[2])
    assert list(control.truth("main")) == list(sandbox.truth("main"))
    assert (control.count("main"), control.settings()) == (sandbox.count("main"), sandbox.settings())
    assert control.faults() == sandbox.faults()
    assert control.clear_faults(fault) == 1


def test_nobody_at_the_address_is_an_os_error() -> None:
    sandbox = SandboxServer(0)
    sandbox.stop()
    with pytest.raises(OSError, match="refused"):
        SandboxControl(sandbox.url).settings()


def test_requests_are_remembered_in_order(sandbox: SandboxServer, reader: Reader) -> None:
    reader.page(2)
    reader.by_id(77)
    reader.call("vat/read")
    seen = [(one["resource"], one["page"], one["offer_id"], one["status"]) for one in sandbox.requests("main")]
    assert seen == [
        ("product_offer/read", 2, None, 200),
        ("product_offer/read", None, 77, 200),
        ("vat/read", 1, None, 200),
    ]


def test_requests_are_told_by_account(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(accounts={"main": 1, "fbe": 1})
    Reader(sandbox, "main").call()
    Reader(sandbox, "fbe").call()
    assert [one["account"] for one in sandbox.requests("fbe")] == ["fbe"]
    assert len(sandbox.requests()) == 2


def test_statistics_start_anew_but_limits_go_on(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(requests_per_minute=1)
    reader = Reader(sandbox)
    reader.call()
    sandbox.reset_stats()
    assert set(sandbox.stats("main").values()) == {0}
    assert sandbox.requests() == []
    assert reader.call().status_code == 429


def test_an_account_that_never_called_has_zeros(sandbox: SandboxServer) -> None:
    assert set(sandbox.stats("main").values()) == {0}


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("edit", '{"show": [true]}'), ("edit", '{"show": [1.5]}'), ("edit", '{"add": [1e999]}'),
        ("edit", '{"add": 1000000000000}'), ("edit", '{"hide": [NaN]}'), ("edit", "[" * 100_000),
        ("edit", '{"set": {"1e5": {"name": "x"}}}'), ("edit", '{"set":' + '{"1":' * 50_000),
        ("advance", '{"changes": 1e999}'), ("truth", '{"page": Infinity}'), ("truth", '{"items_per_page": 1e999}'),
        ("truth", '{"id": 1e999}'), ("settings", '{"latency_seconds": "soon"}'),
    ],
)  # fmt: skip
def test_whatever_is_commanded_the_truth_can_be_told(sandbox: SandboxServer, verb: str, body: str) -> None:
    address = f"http://{sandbox.host}:{sandbox.port}/_control/"
    answer = requests.post(address + verb, data=body, timeout=20)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert requests.get(address + "truth?page=1", timeout=20).json()["offers"] == sandbox.truth_page("main", 1)
    assert len(Reader(sandbox).page(1)) == 100


_ODD = [None, True, -1, 1.5, "", "12,5 lei", [], [None], [[]], {}, {"a": 1}, [{"value": "x"}], [{}], 10**400, "\ud800"]


@pytest.mark.parametrize("value", [*_ODD, float("inf"), float("nan")], ids=lambda value: repr(value)[:20])
def test_every_field_may_be_edited_to_anything_and_is_told(sandbox: SandboxServer, value: Any) -> None:
    offer_id = sandbox.ids("main")[0]
    fields = [name for name in sandbox.truth_offer("main", offer_id) if name != "id"]
    sandbox.edit("main", offer_id, **dict.fromkeys(fields, value))
    told = post(sandbox, "truth", {"id": offer_id})
    assert told.status_code == 200
    assert json.loads(told.text)["saleable"] == []
    assert post(sandbox, "truth", {"page": 1}).status_code == 200
