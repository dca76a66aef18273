"""Where pagination and filters are looked for (docs/marketplace-api.md, "Calls and responses")."""

import subprocess
import sys
from typing import Any

import pytest
import requests

from emag_pipeline.sandbox import SandboxControl, SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox

RESOURCES = ["product_offer/read", "category/read"]


def asked(reader: Reader, resource: str, body: dict[str, Any]) -> Any:
    answer = reader.session.post(f"{reader.url}/{resource}", json=body, timeout=20).json()
    assert answer["isError"] is False
    return answer["results"]


def ids(reader: Reader, body: dict[str, Any], resource: str = "product_offer/read") -> list[int]:
    return [row["id"] for row in asked(reader, resource, body)]


def second_page(place: str) -> dict[str, Any]:
    wish = {"currentPage": 2, "itemsPerPage": 7}
    return {"top": wish, "data": {"data": wish}, "both": {**wish, "data": wish}}[place]


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize(
    ("parameters", "sent"),
    [("top", "top"), ("top", "both"), ("data", "data"), ("data", "both"), ("both", "top"), ("both", "data")],
)
def test_pagination_is_obeyed_in_its_place(
    open_sandbox: OpenSandbox, resource: str, parameters: str, sent: str
) -> None:
    reader = Reader(open_sandbox(parameters="both"))
    expected = ids(reader, second_page("both"), resource)
    reader = Reader(open_sandbox(parameters=parameters))
    assert ids(reader, second_page(sent), resource) == expected
    assert len(expected) == 7


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize(
    ("parameters", "body"), [("top", second_page("data")), ("data", {**second_page("top"), "data": {}})]
)
def test_pagination_in_the_other_place_is_silently_ignored(
    open_sandbox: OpenSandbox, resource: str, parameters: str, body: dict[str, Any]
) -> None:
    reader = Reader(open_sandbox(parameters=parameters))
    assert ids(reader, body, resource) == ids(reader, {"data": {}}, resource)
    assert len(ids(reader, body, resource)) == 100


def test_an_id_in_the_other_place_is_silently_ignored(sandbox: SandboxServer, reader: Reader) -> None:
    offer_id = sandbox.ids("main")[120]
    assert ids(reader, {"data": {"id": offer_id}}) == sandbox.ids("main")[:100]
    assert ids(reader, {"id": offer_id}) == [offer_id]


@pytest.mark.parametrize("resource", ["product_offer/count", "category/count"])
def test_a_count_obeys_and_echoes_the_page_size_only_in_its_place(reader: Reader, resource: str) -> None:
    obeyed = asked(reader, resource, {"itemsPerPage": 1})
    assert obeyed["itemsPerPage"] == 1
    assert obeyed["noOfPages"] == obeyed["noOfItems"]
    assert asked(reader, resource, {"data": {"itemsPerPage": 1}})["itemsPerPage"] == 100


def test_where_both_places_say_something_the_top_level_wins(open_sandbox: OpenSandbox) -> None:
    reader = Reader(open_sandbox(parameters="both"))
    rows = ids(reader, {"itemsPerPage": 3, "data": {"itemsPerPage": 9, "currentPage": 2}})
    assert rows == ids(reader, {"itemsPerPage": 3, "currentPage": 2})


def test_unknown_keys_are_ignored_in_either_place(sandbox: SandboxServer, reader: Reader) -> None:
    expected = sandbox.ids("main")[:100]
    assert ids(reader, {"modified_since": "2025-01-01", "data": {"sort": "id"}}) == expected
    sandbox.settings(parameters="data")
    assert ids(reader, {"sort": "id", "data": {"modified_since": "2025-01-01"}}) == expected


@pytest.mark.parametrize(
    ("body", "words"), [({}, "mandatory key data is missing"), ({"data": 5}, "The key data must hold an object")]
)
def test_under_data_the_key_data_is_mandatory(open_sandbox: OpenSandbox, body: dict[str, Any], words: str) -> None:
    reader = Reader(open_sandbox(parameters="data"))
    answer = reader.session.post(f"{reader.url}/product_offer/read", json=body, timeout=20).json()
    assert answer["isError"] is True
    assert words in answer["messages"][0]


def test_the_place_can_be_changed_while_it_runs(sandbox: SandboxServer, reader: Reader) -> None:
    body = {"itemsPerPage": 5, "data": {"itemsPerPage": 6}}
    sizes = []
    for place in ("top", "data", "both"):
        sandbox.settings(parameters=place)
        sizes.append(len(ids(reader, body)))
    assert sizes == [5, 6, 5]


def test_requests_are_remembered_as_they_were_understood(sandbox: SandboxServer, reader: Reader) -> None:
    ids(reader, second_page("top"))
    ids(reader, second_page("data"))
    assert [(one["page"], one["items_per_page"]) for one in sandbox.requests()] == [(2, 7), (1, None)]


@pytest.mark.parametrize(
    ("arguments", "variable", "expected"),
    [((), None, "top"), ((), "data", "data"), ((), "", "top"), (("--parameters", "both"), "data", "both")],
)
@pytest.mark.parametrize("program", [("-m", "emag_pipeline.sandbox"), ("-m", "emag_pipeline", "sandbox")])
def test_both_programs_take_the_place_from_option_or_environment(
    monkeypatch: pytest.MonkeyPatch,
    program: tuple[str, ...],
    arguments: tuple[str, ...],
    variable: str | None,
    expected: str,
) -> None:
    monkeypatch.delenv("EMAG_SANDBOX_PARAMETERS", raising=False)
    if variable is not None:
        monkeypatch.setenv("EMAG_SANDBOX_PARAMETERS", variable)
    process = subprocess.Popen([sys.executable, *program, "--port", "0", *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("sandbox: ").strip()
        assert SandboxControl(url).settings()["parameters"] == expected
    finally:
        process.kill()
        process.communicate()


def test_another_place_is_refused_with_words(sandbox: SandboxServer) -> None:
    with pytest.raises(ValueError, match="parameters must be one of top, data, both, neither, not 'query'"):
        sandbox.settings(parameters="query")


def test_a_call_without_any_body_is_a_call_without_parameters(sandbox: SandboxServer, reader: Reader) -> None:
    answer = requests.post(f"{sandbox.url}/product_offer/read", auth=reader.session.auth, timeout=20)
    assert len(answer.json()["results"]) == 100
