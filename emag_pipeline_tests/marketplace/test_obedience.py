"""Whether the marketplace obeys pagination and filters is found out in at most three calls, and said by name."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from emag_pipeline.errors import ParametersIgnored
from emag_pipeline_tests.marketplace.clients import Client, client_of

_OFFERS = [{"id": number} for number in range(1, 251)]

Answer = Callable[[str, dict[str, Any]], Any]


@contextmanager
def marketplace(answer: Answer) -> Iterator[tuple[Client, list[dict[str, Any]]]]:
    """A client of a server that gives these results, and the bodies that it was sent."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            results = answer(self.path.rpartition("/")[2], bodies[-1])
            body = json.dumps({"isError": False, "messages": [], "results": results}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with client_of(f"http://127.0.0.1:{server.server_port}") as client:
        yield client, bodies
    server.shutdown()
    server.server_close()


def listing(parameters: Callable[[dict[str, Any]], dict[str, Any]], *, names_size: bool = True) -> Answer:
    """A marketplace that takes its parameters from where `parameters` says."""

    def answer(action: str, body: dict[str, Any]) -> Any:
        given = parameters(body)
        size, page = given.get("itemsPerPage", 100), given.get("currentPage", 1)
        if action == "count":
            return {"noOfItems": str(len(_OFFERS))} | ({"itemsPerPage": str(size)} if names_size else {})
        found = [offer for offer in _OFFERS if given.get("id", offer["id"]) == offer["id"]]
        return found[(page - 1) * size : page * size]

    return answer


def judge(client: Client) -> None:
    """As a scan does it: the count, then the first two pages."""
    obedience = client.obedience()
    obedience.judge_count(client.count())
    obedience.judge_pages(client.read_page(1).ids, client.read_page(2).ids, 2)


@pytest.mark.parametrize("place", [lambda body: body, lambda body: body["data"]], ids=["at the top", "under data"])
@pytest.mark.parametrize("names_size", [True, False], ids=["the count names it", "the count is silent"])
def test_parameters_are_obeyed_at_either_place(place: Any, names_size: bool) -> None:
    with marketplace(listing(place, names_size=names_size)) as (client, _):
        judge(client)
        found = client.read_offer(77)
    assert found is not None
    assert found.emag_offer_id == 77


@pytest.mark.parametrize(
    ("keeps", "said"),
    [
        ((), "main: the marketplace ignores itemsPerPage: asked for 1 row per page, its count reported a page size of"),
        (("itemsPerPage",), "main: the marketplace ignores currentPage: page 2 shows the same 100 rows as page 1"),
    ],
)
def test_ignored_pagination_is_said_by_name_after_three_calls_at_the_most(keeps: tuple[str, ...], said: str) -> None:
    def kept(body: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in body.items() if name in keeps}

    with marketplace(listing(kept)) as (client, bodies):
        with pytest.raises(ParametersIgnored) as caught:
            judge(client)
        assert len(bodies) <= 3
    assert caught.value.message.startswith(said)
    assert "emag-pipeline probe" in caught.value.remedy


def test_a_silent_count_and_pages_that_stay_the_first_are_noticed_within_three_calls() -> None:
    with marketplace(listing(lambda body: {"itemsPerPage": body["itemsPerPage"]}, names_size=False)) as (
        client,
        bodies,
    ):
        with pytest.raises(ParametersIgnored, match="pages 1 and 2 of one row each show the same id 1"):
            judge(client)
        assert len(bodies) == 3


def test_an_ignored_filter_is_said_by_name_after_one_call() -> None:
    def without_id(body: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in body.items() if name != "id"}

    with marketplace(listing(without_id)) as (client, bodies):
        with pytest.raises(ParametersIgnored, match="main, offer 77: the marketplace ignores the filter id"):
            client.read_offer(77)
        assert len(bodies) == 1
