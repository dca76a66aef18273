"""The sandbox's commands as Python methods: the same for one in this process and one in another process."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener


class SandboxFace(ABC):
    """Faults, edits, time, settings, statistics and truth. Every method is one call of the control API."""

    @abstractmethod
    def command(self, verb: str, body: Any) -> dict[str, Any]:
        """Carry out a command of the control API. Raises ValueError when it makes no sense."""

    def add_fault(self, kind: str, **limits_and_options: Any) -> int:
        """Put a fault in force; returns its id. docs/how-to/sandbox.md lists the kinds and their options."""
        added = self.command("faults", {"kind": kind, **limits_and_options})["added"]
        return int(added[0])

    def faults(self) -> list[dict[str, Any]]:
        """All faults added and not cleared, with how often each matched and happened."""
        return list(self.command("faults", {})["faults"])

    def clear_faults(self, fault_id: int | None = None, *, kind: str | None = None) -> int:
        """End one fault, all of a kind, or all; returns how many."""
        return int(self.command("clear", {"id": fault_id, "kind": kind})["cleared"])

    def edit(self, account: str, offer_id: int, **fields: Any) -> None:
        """Set fields of an offer; they stay so whatever the days bring."""
        self.command("edit", {"account": account, "set": {str(offer_id): fields}})

    def add(self, account: str, number: int = 1, *, place: Literal["end", "front"] | None = None) -> list[int]:
        """Let new offers arrive; returns their ids. In front, they shift every page."""
        body = {"account": account, "add": number} | ({"place": place} if place else {})
        return list(self.command("edit", body)["added"])

    def add_ids(self, account: str, offer_ids: Sequence[int]) -> None:
        """Let offers with these very ids arrive, on the places that the order gives them."""
        self.command("edit", {"account": account, "add": list(offer_ids)})

    def double(self, account: str, offer_ids: Sequence[int]) -> None:
        """Let offers stand at a second place of the listing too, before all others; the count counts both."""
        self.command("edit", {"account": account, "double": list(offer_ids)})

    def remove(self, account: str, offer_ids: Sequence[int]) -> None:
        """Let offers depart: neither pages nor reads by id find them."""
        self.command("edit", {"account": account, "remove": list(offer_ids)})

    def hide(self, account: str, offer_ids: Sequence[int], *, counted: bool = False) -> None:
        """Leave offers out of pages, while reads by id still find them; `counted` keeps them in the count."""
        self.command("edit", {"account": account, "hide": list(offer_ids), "counted": counted})

    def show(self, account: str, offer_ids: Sequence[int]) -> None:
        """Show hidden or removed offers again."""
        self.command("edit", {"account": account, "show": list(offer_ids)})

    def advance(
        self, *, days: float = 0, changes: int = 0, kind: str | None = None, account: str | None = None
    ) -> dict[str, Any]:
        """Let days pass, or the next changes happen (of one kind, else mixed), in one account or all."""
        return self.command("advance", {"account": account, "days": days, "changes": changes, "kind": kind})

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings and return all of them; without arguments, only return them."""
        return self.command("settings", changes)

    def set_user(self, account: str, username: str, password: str) -> None:
        """Change an account's login; the old one is refused from now on."""
        self.command("settings", {"users": {account: [username, password]}})

    def stats(self, account: str) -> dict[str, int]:
        """The account's counters; zeros before its first request."""
        counters = self.command("stats", {})["accounts"].get(account)
        names = ("requests", "over_limit", "most_in_a_second", "most_in_a_minute", "at_once", "most_at_once")
        return counters or dict.fromkeys(names, 0)

    def requests(self, account: str | None = None) -> list[dict[str, Any]]:
        """The latest requests: time, account, resource, page, offer_id, status, fault."""
        return list(self.command("stats", {"requests": True, "account": account})["requests"])

    def reset_stats(self) -> None:
        """Start the counters anew; the rate windows go on."""
        self.command("stats", {"reset": True})

    def truth_page(self, account: str, page: int) -> list[dict[str, Any]]:
        """The offers of a page as they truly are."""
        return list(self.command("truth", {"account": account, "page": page})["offers"])

    def truth(self, account: str) -> Iterator[dict[str, Any]]:
        """Every shown offer as it truly is, read page by page."""
        for page in range(1, self.command("truth", {"account": account})["pages"] + 1):
            yield from self.truth_page(account, page)

    def truth_offer(self, account: str, offer_id: int) -> dict[str, Any] | None:
        """One offer as it truly is, hidden or not; None when there is none."""
        offers = self.command("truth", {"account": account, "id": offer_id})["offers"]
        return offers[0] if offers else None

    def ids(self, account: str) -> list[int]:
        """The ids that pages show, in page order."""
        return list(self.command("truth", {"account": account, "ids": True})["ids"])

    def saleable_ids(self, account: str) -> list[int]:
        """The ids of the shown offers that a customer can buy."""
        pages = self.command("truth", {"account": account})["pages"]
        answers = (self.command("truth", {"account": account, "page": page}) for page in range(1, pages + 1))
        return [one for answer in answers for one in answer["saleable"]]

    def count(self, account: str) -> int:
        """How many offers the marketplace truly has to report."""
        return int(self.command("truth", {"account": account})["count"])


Users = Mapping[str, tuple[str, str]]


_open = build_opener(ProxyHandler({})).open  # a sandbox is near: never behind a proxy


class SandboxControl(SandboxFace):
    """Commands a running sandbox, given any URL of it, e.g. its API's base URL."""

    def __init__(self, url: str, *, timeout_seconds: float = 30.0) -> None:
        address = urlsplit(url)
        self._base = f"{address.scheme}://{address.netloc}/_control/"
        self._timeout_seconds = timeout_seconds

    def command(self, verb: str, body: Any) -> dict[str, Any]:
        """Carry out a command. Raises ValueError when it makes no sense, OSError when nobody answers."""
        request = Request(  # noqa: S310 - the address is the caller's own sandbox
            self._base + verb,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with _open(request, timeout=self._timeout_seconds) as answer:
                content: dict[str, Any] = json.load(answer)
        except HTTPError as error:
            with error:
                raise ValueError(json.load(error)["error"]) from None
        return content
