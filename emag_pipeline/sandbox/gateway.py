"""The gateway in front of the marketplace: counting, rate limits, credentials, latency, and faults of whole calls."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from emag_pipeline.sandbox import answers
from emag_pipeline.sandbox.answers import HTML, Answer, Refusal, plain, refused
from emag_pipeline.sandbox.calls import Call
from emag_pipeline.sandbox.faults import ANSWERS, AT_THE_DOOR, BODIES, CONNECTIONS, REFUSALS, Fault, Target
from emag_pipeline.sandbox.limits import Verdict
from emag_pipeline.sandbox.marketplace import UNKNOWN, Marketplace
from emag_pipeline.sandbox.offer_pages import PageBroken
from emag_pipeline.sandbox.settings import Parameters
from emag_pipeline.sandbox.statistics import Seen

_OVER_LIMIT = {"message": "API rate limit exceeded"}


@dataclass(slots=True)
class Visit:
    """One call in progress. `answer` is None if a connection fault prevents a response."""

    seen: Seen
    answer: Answer | None = None
    connection_fault: Fault | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Gateway:
    """Checks each call, then lets the marketplace or a fault answer it. `stopping` ends every wait."""

    def __init__(self, marketplace: Marketplace, stopping: Event) -> None:
        self._marketplace = marketplace
        self._stopping = stopping

    def receive(self, call: Call) -> Visit:
        """Produce the response to a call; the caller must send it and then call `leave`."""
        settings = self._marketplace.settings
        data, refusal = _parameters(call, settings.parameters)
        account = self._marketplace.accounts.owner(call.username)
        asked = (_page(call, data), _whole(data, "id"), _whole(data, "itemsPerPage"))
        seen = Seen(_wall_clock(call.arrived), account, call.resource, *asked)
        verdict = self._marketplace.statistics.arrive(
            seen, call.arrived, settings.requests_per_second, settings.requests_per_minute
        )
        visit = Visit(seen, headers=_limit_headers(verdict))
        try:
            if not verdict.allowed:
                visit.answer = plain(429, _OVER_LIMIT)
            elif not self._marketplace.accounts.accepts(account, call.username, call.password):
                visit.answer = refused(Refusal(answers.NOT_ALLOWED, 401))
                if account == UNKNOWN:
                    visit.headers |= answers.UNKNOWN_USER
            else:
                self._admit(visit, call, data, refusal)
        except Exception:
            self.leave(visit)
            raise
        seen.status = visit.answer.status if visit.answer else None
        return visit

    def leave(self, visit: Visit) -> None:
        """Record that a call has ended."""
        self._marketplace.statistics.leave(visit.seen)

    def _admit(self, visit: Visit, call: Call, data: dict[str, Any], refusal: Refusal | None) -> None:
        seen = visit.seen
        offer_ids = () if seen.offer_id is None else (seen.offer_id,)
        target = Target(seen.account, seen.resource, seen.page, offer_ids, seen.items_per_page)
        fault = self._marketplace.faults.take(AT_THE_DOOR, target)
        seen.fault = fault.kind if fault else None
        self._wait_at_the_door(fault)
        if fault and fault.kind in CONNECTIONS:
            visit.connection_fault = fault
            if _is_silent(fault):
                return
        if fault and fault.kind in REFUSALS:
            visit.answer = answers.answer(fault, call.peer)
        elif fault and fault.kind in ANSWERS:
            visit.answer = _faulty_answer(fault)
        else:
            self._answer(visit, fault, lambda: self._good_answer(call, seen.account, data, refusal))

    def _answer(self, visit: Visit, fault: Fault | None, good_answer: Callable[[], Answer]) -> None:
        """Let the marketplace answer, and wait the time that its number of offers takes."""
        try:
            answer = good_answer()
        except PageBroken as broken:
            self._wait(broken.answer.offers * self._marketplace.settings.seconds_per_offer)
            _break(visit, broken)
            return
        self._wait(answer.offers * self._marketplace.settings.seconds_per_offer)
        visit.answer = _spoilt(answer, fault) if fault and fault.kind in BODIES else answer

    def _good_answer(self, call: Call, account: str, data: dict[str, Any], refusal: Refusal | None) -> Answer:
        try:
            if refusal is not None:
                raise refusal
            return self._marketplace.answer(call, account, data)
        except Refusal as said:
            return refused(said)

    def _wait_at_the_door(self, fault: Fault | None) -> None:
        slow = fault.options["seconds"] if fault and fault.kind == "slow" else 0.0
        self._wait(self._marketplace.settings.latency_seconds + slow)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._stopping.wait(seconds)


def _parameters(call: Call, place: Parameters) -> tuple[dict[str, Any], Refusal | None]:
    try:
        return call.parameters(place), None
    except Refusal as refusal:
        return {}, refusal


def _page(call: Call, data: dict[str, Any]) -> int | None:
    """The requested page; None if the call has no pages."""
    if not call.resource.endswith("/read") or "id" in data:
        return None
    page = str(data.get("currentPage") or 1)
    return int(page) if page.isascii() and page.isdigit() and len(page) < 10 else None


def _whole(data: dict[str, Any], name: str) -> int | None:
    wanted = str(data.get(name, ""))
    return int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else None


def _wall_clock(moment: float) -> float:
    return time.time() - (time.monotonic() - moment)


def _limit_headers(verdict: Verdict) -> dict[str, str]:
    if not verdict.limit:  # "Limit: 0" would mean that no call is allowed
        return {}
    return {
        "X-RateLimit-Limit-3second": str(verdict.limit),
        "X-RateLimit-Remaining-3second": str(verdict.remaining),
    }


def _is_silent(fault: Fault) -> bool:
    """Whether no response is sent at all: then none is prepared, and faults of pages and counts are not used up."""
    return fault.kind == "hang" or (fault.kind == "reset" and not fault.options["after_bytes"])


def _faulty_answer(fault: Fault) -> Answer:
    """The response of a fault that replaces the marketplace's own."""
    options = fault.options
    if fault.kind == "server_error":
        return Answer(options["status"], HTML, "text/html; charset=utf-8")
    if fault.kind == "html_200":
        return Answer(200, HTML, "text/html; charset=utf-8")
    if fault.kind == "storm_429":
        wait = options["retry_after"]
        return replace(plain(429, _OVER_LIMIT), headers={} if wait is None else {"Retry-After": str(wait)})
    return refused(Refusal(str(options["message"]), options["status"]))


def _spoilt(answer: Answer, fault: Fault) -> Answer:
    """The good response with a damaged body. `cut: connection` announces more bytes than it sends."""
    if fault.kind == "missing_is_error":
        return replace(answer, body=answer.body.replace(b'"isError":false,', b"", 1))
    return _cut(answer, fault.options["keep"], keeps_promise=fault.options["cut"] == "json")


def _cut(answer: Answer, keep: float, *, keeps_promise: bool) -> Answer:
    promised = {} if keeps_promise else {"Content-Length": str(len(answer.body))}
    kept = answer.body[: int(len(answer.body) * keep)]
    return replace(answer, body=kept, headers={**answer.headers, **promised})


def _break(visit: Visit, broken: PageBroken) -> None:
    """End the call in the way that the fault defines for pages with this offer."""
    fault = broken.fault
    visit.seen.fault = fault.kind
    visit.connection_fault = None
    match fault.options["how"]:
        case "status":
            visit.answer = Answer(fault.options["status"], HTML, "text/html; charset=utf-8")
        case "cut":
            visit.answer = _cut(broken.answer, 0.5, keeps_promise=False)
        case "hang":
            visit.connection_fault = replace(fault, kind="hang", options={"seconds": None})
        case _:
            visit.connection_fault = replace(fault, kind="reset", options={"after_bytes": 0})
