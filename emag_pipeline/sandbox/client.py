"""The sandbox's commands as Python methods, the same for a sandbox in this process and in another one."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener


class SandboxFace(ABC):
    """Faults, edits, time, settings, statistics and truth, through calls of the control API."""

    @abstractmethod
    def command(self, verb: str, body: Any) -> dict[str, Any]:
        """Carry out a command of the control API. Raises ValueError if it is invalid."""

    def add_fault(self, kind: str, **limits_and_options: Any) -> int:
        """Start a fault and return its id. docs/how-to/sandbox.md lists the kinds and their options."""
        added = self.command("faults", {"kind": kind, **limits_and_options})["added"]
        return int(added[0])

    def faults(self) -> list[dict[str, Any]]:
        """All faults that were not cleared, with the number of times each matched and happened."""
        return list(self.command("faults", {})["faults"])

    def clear_faults(self, fault_id: int | None = None, *, kind: str | None = None) -> int:
        """End one fault, all of a kind, or all; returns how many."""
        return int(self.command("clear", {"id": fault_id, "kind": kind})["cleared"])

    def edit(self, account: str, offer_id: int, **fields: Any) -> None:
        """Set fields of an offer permanently; later changes of the catalogue do not affect them."""
        self.command("edit", {"account": account, "set": {str(offer_id): fields}})

    def add(self, account: str, number: int = 1, *, place: Literal["end", "front"] | None = None) -> list[int]:
        """Add new offers and return their ids. In front, they shift every page."""
        body = {"account": account, "add": number} | ({"place": place} if place else {})
        return list(self.command("edit", body)["added"])

    def add_ids(self, account: str, offer_ids: Sequence[int]) -> None:
        """Add offers with these ids, at the positions given by the order."""
        self.command("edit", {"account": account, "add": list(offer_ids)})

    def double(self, account: str, offer_ids: Sequence[int]) -> None:
        """List offers a second time, before all others; the count includes both."""
        self.command("edit", {"account": account, "double": list(offer_ids)})

    def remove(self, account: str, offer_ids: Sequence[int]) -> None:
        """Remove offers: neither pages nor reads by id find them."""
        self.command("edit", {"account": account, "remove": list(offer_ids)})

    def hide(self, account: str, offer_ids: Sequence[int], *, counted: bool = False) -> None:
        """Omit offers from pages, while reads by id still find them; `counted` keeps them in the count."""
        self.command("edit", {"account": account, "hide": list(offer_ids), "counted": counted})

    def show(self, account: str, offer_ids: Sequence[int]) -> None:
        """List hidden or removed offers again."""
        self.command("edit", {"account": account, "show": list(offer_ids)})

    def advance(
        self, *, days: float = 0, changes: int = 0, kind: str | None = None, account: str | None = None
    ) -> dict[str, Any]:
        """Let days pass, or make the next changes (of one kind, or mixed), in one account or all."""
        return self.command("advance", {"account": account, "days": days, "changes": changes, "kind": kind})

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings and return all of them; without arguments, only return them."""
        return self.command("settings", changes)

    def set_user(self, account: str, username: str, password: str) -> None:
        """Change an account's login; the old one is refused afterwards."""
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
        """Reset the counters, but not the rate windows."""
        self.command("stats", {"reset": True})

    def truth_page(self, account: str, page: int) -> list[dict[str, Any]]:
        """The true offers of a page."""
        return list(self.command("truth", {"account": account, "page": page})["offers"])

    def truth(self, account: str) -> Iterator[dict[str, Any]]:
        """The true state of every listed offer, read page by page."""
        for page in range(1, self.command("truth", {"account": account})["pages"] + 1):
            yield from self.truth_page(account, page)

    def truth_offer(self, account: str, offer_id: int) -> dict[str, Any] | None:
        """The true state of one offer, hidden or not; None if it does not exist."""
        offers = self.command("truth", {"account": account, "id": offer_id})["offers"]
        return offers[0] if offers else None

    def ids(self, account: str) -> list[int]:
        """The ids of the listed offers, in page order."""
        return list(self.command("truth", {"account": account, "ids": True})["ids"])

    def saleable_ids(self, account: str) -> list[int]:
        """The ids of the listed offers that a customer can buy."""
        pages = self.command("truth", {"account": account})["pages"]
        answers = (self.command("truth", {"account": account, "page": page}) for page in range(1, pages + 1))
        return [one for answer in answers for one in answer["saleable"]]

    def count(self, account: str) -> int:
        """The true count of offers."""
        return int(self.command("truth", {"account": account})["count"])


Users = Mapping[str, tuple[str, str]]


_open = build_opener(ProxyHandler({})).open  # the sandbox is local: never use a proxy


class SandboxControl(SandboxFace):
    """Controls a running sandbox, given any URL of it, e.g. its API's base URL."""

    def __init__(self, url: str, *, timeout_seconds: float = 30.0) -> None:
        address = urlsplit(url)
        self._base = f"{address.scheme}://{address.netloc}/_control/"
        self._timeout_seconds = timeout_seconds

    def command(self, verb: str, body: Any) -> dict[str, Any]:
        """Carry out a command. Raises ValueError if it is invalid, OSError if no sandbox responds."""
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
