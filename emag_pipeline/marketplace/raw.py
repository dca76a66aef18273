"""Answers as they came, for those who look at the marketplace itself: nothing is normalised."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emag_pipeline.errors import AccessRefused, ApiUnavailable, PipelineError, RateLimited, RequestRefused
from emag_pipeline.marketplace import json_text
from emag_pipeline.marketplace.calls import ApiCalls, Call
from emag_pipeline.marketplace.transport import Exchange


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back. `content` is its JSON, None where it has none; `error` is why the call counts as failed."""

    status: int | None
    headers: Mapping[str, str]
    content: object
    bytes: int
    seconds: float
    ended_at: datetime
    error: PipelineError | None

    @property
    def results(self) -> object:
        """The `results` of a good answer, else None."""
        return self.content.get("results") if self.error is None and isinstance(self.content, dict) else None


class RawCalls(ApiCalls):
    """Calls with bodies of the caller's own, paced and recorded as all others are. For one thread only."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Takes what `ApiCalls` takes."""
        super().__init__(*args, **options)
        self._newest = Exchange()

    def answer(
        self,
        resource: str,
        body: Mapping[str, object],
        *,
        page: int | None = None,
        page_size: int | None = None,
        offer_id: int | None = None,
    ) -> RawAnswer:
        """Send this body; what the marketplace refuses or fails to answer is told in the answer, not raised.

        Page, its size and the offer's id are what the request log tells of the call.
        """
        error = None
        try:
            self.ask(Call(resource, {}, page, page_size, offer_id, content=body), lambda results, _: results)
        except (ApiUnavailable, RateLimited, AccessRefused, RequestRefused) as refusal:
            error = refusal
        return _raw(self._newest, error)

    def _keep(self, call: Call, exchange: Exchange, error: PipelineError | None) -> None:
        self._newest = exchange
        super()._keep(call, exchange, error)


def _raw(exchange: Exchange, error: PipelineError | None) -> RawAnswer:
    content: object = None
    with suppress(ValueError, RecursionError):
        content = json_text.parse(bytes(exchange.body))
    return RawAnswer(
        status=exchange.status,
        headers=exchange.headers,
        content=content,
        bytes=len(exchange.body),
        seconds=exchange.seconds,
        ended_at=exchange.ended_at,
        error=error,
    )
