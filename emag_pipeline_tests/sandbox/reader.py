"""A caller of the sandbox's API, as plain as can be: parameters at the top level of the body."""

from typing import Any

import requests

from emag_pipeline.sandbox import SandboxServer

PATIENCE_SECONDS = 20.0


class Reader:
    """Calls the API as one account; `page` and `results` insist on a good answer."""

    def __init__(self, sandbox: SandboxServer, account: str = "main") -> None:
        self.url = sandbox.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = (f"{account}@sandbox.example", "sandbox")

    def call(self, resource: str = "product_offer/count", **data: Any) -> requests.Response:
        return self.session.post(f"{self.url}/{resource}", json=data, timeout=PATIENCE_SECONDS)

    def results(self, resource: str, **data: Any) -> Any:
        answer = self.call(resource, **data).json()
        assert answer["isError"] is False, answer
        return answer["results"]

    def page(self, number: int = 1, **filters: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.results("product_offer/read", currentPage=number, **filters)
        return rows

    def ids(self, number: int = 1, /, **filters: Any) -> list[int]:
        return [offer["id"] for offer in self.page(number, **filters)]

    def all_ids(self) -> list[int]:
        pages = self.results("product_offer/count")["noOfPages"]
        return [offer_id for number in range(1, pages + 1) for offer_id in self.ids(number)]

    def by_id(self, offer_id: int) -> dict[str, Any] | None:
        rows = self.results("product_offer/read", id=offer_id)
        return rows[0] if rows else None

    def refusal(self, resource: str = "product_offer/read", **data: Any) -> str:
        answer = self.call(resource, **data).json()
        assert answer["isError"] is True
        assert answer["results"] == []
        return str(answer["messages"][0])
