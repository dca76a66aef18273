"""Calls of one account: each one paced, bounded, tried again where that can help, and recorded."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_exponential,
    wait_random,
)

from emag_pipeline.errors import (
    AccessRefused,
    ApiUnavailable,
    CallAborted,
    ParametersIgnored,
    PipelineError,
    RateLimited,
    RequestRefused,
    TransientError,
)
from emag_pipeline.logs import logger
from emag_pipeline.marketplace import json_text
from emag_pipeline.marketplace.pacing import Pacer, RateBudget
from emag_pipeline.marketplace.responses import (
    NOT_OF_SANDBOX,
    ResponseHeaders,
    response_headers,
    results_of,
    with_variables,
)
from emag_pipeline.marketplace.transport import Exchange, Timeouts, Transport
from emag_pipeline.model import RequestRecord
from emag_pipeline.settings.accounts import Account
from emag_pipeline.settings.redaction import redact, secrets_of

T = TypeVar("T")

log = logger(__name__)

LONGEST_QUOTE = 300
#: The marketplace gives at most so many rows at once, and so many unless told otherwise
#: (docs/marketplace-api.md, "Pages, counts and order").
MOST_PER_PAGE = 100
_OWN_ERRORS = (ApiUnavailable, RateLimited, AccessRefused, RequestRefused, ParametersIgnored, CallAborted)
_back_off = wait_exponential(multiplier=0.5, max=30.0) + wait_random(0.0, 0.5)


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: filters and pagination, the language of names if one matters."""

    resource: str
    parameters: Mapping[str, int]
    page: int | None = None
    page_size: int | None = None
    offer_id: int | None = None
    language: str | None = None
    #: at most so many tries, if fewer than usual
    tries: int | None = None
    #: a body of the caller's own, instead of the parameters in both places
    content: Mapping[str, object] | None = None

    @property
    def address(self) -> str:
        """What follows the base URL."""
        return self.resource if self.language is None else f"{self.resource}?language={self.language}"

    @property
    def body(self) -> bytes:
        """The request's body, with the parameters in both places unless it is given as a whole.

        The vendor's document v4.4.9 puts them under `data`, v4.5.1 at the top level; at the wrong place they are
        ignored without a word (docs/marketplace-api.md, "Calls and responses").
        """
        content = {**self.parameters, "data": self.parameters} if self.content is None else self.content
        return json_text.compact(content).encode()

    @property
    def where(self) -> str:
        """The call in an error's words."""
        if self.offer_id is not None:
            return f"offer {self.offer_id}"
        if self.page is None:
            return self.resource
        page = f"page {self.page}" if self.page_size == MOST_PER_PAGE else f"page {self.page} (size {self.page_size})"
        return page if self.resource == "product_offer/read" else f"{self.resource}, {page}"


class ApiCalls:
    """One account's calls. Thread-safe: each thread has its own connection, all share the account's pace.

    `record` is called with every attempt, from the calling thread; `waits` before each wait for another try, with what
    failed and the seconds. Errors raised by `record` and by the rate budget
    pass through as they are. All calls raise, after `attempts` tries where a retry can help: ApiUnavailable,
    RateLimited; at once: AccessRefused, RequestRefused, ParametersIgnored, CallAborted.
    """

    def __init__(
        self,
        account: Account,
        budget: RateBudget,
        *,
        record: Callable[[RequestRecord], None],
        waits: Callable[[str, float], None] = lambda _, __: None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - it is frozen
        attempts: int = 5,
    ) -> None:
        self._account = account
        self._budget = budget
        self._record = record
        self._waits = waits
        self._attempts = attempts
        self._secrets = secrets_of(account)
        self._pacer = Pacer(budget, account.login)
        self._transport = Transport(account, timeouts)
        #: of the newest answer, good or not
        self.response_headers: ResponseHeaders | None = None

    def ask(self, call: Call, understand: Callable[[object, datetime], T]) -> T:
        """What `understand` makes of the results and of the moment at which they had come; it may raise as a call."""
        retrying = Retrying(
            stop=partial(_is_enough, min(self._attempts, call.tries or self._attempts), call),
            retry=retry_if_exception_type((ApiUnavailable, RateLimited)),
            wait=_wait_seconds,
            sleep=self._pacer.sleep,
            before_sleep=partial(self._tell_wait, call),
            reraise=True,
        )
        try:
            answer: T = retrying(self._attempt, call, understand)
            return answer
        except _OWN_ERRORS as error:
            raise self._located(error, call, int(retrying.statistics["attempt_number"])) from error.__cause__

    def abort(self) -> None:
        """End all calls and waits of all threads now; every later call raises CallAborted. Idempotent."""
        self._pacer.stop()
        self._transport.abort()

    def close(self) -> None:
        """Close the connections; calls must be over."""
        self._transport.close()

    def _attempt(self, call: Call, understand: Callable[[object, datetime], T]) -> T:
        exchange = Exchange()
        try:
            self._transport.post(call.address, call.body, exchange, self._pacer)
            self.response_headers = response_headers(exchange.headers)
            results = results_of(exchange.status or 0, exchange.headers, bytes(exchange.body))
            understood = understand(results, exchange.ended_at)
        except _OWN_ERRORS as error:
            self._keep(call, exchange, error)
            if isinstance(error, RateLimited):
                self._budget.slow_down(self._account.login, error.wait_seconds or 0.0, exchange.seconds)
            raise
        self._keep(call, exchange, None)
        return understood

    def _keep(self, call: Call, exchange: Exchange, error: PipelineError | None) -> None:
        """Record the attempt, unless it was aborted before it left."""
        if isinstance(error, CallAborted) and not exchange.is_sent:
            return
        said = redact(exchange.body.decode("utf-8", "replace"), self._secrets) if error and exchange.body else None
        self._tell(call, exchange, error)
        self._record(
            RequestRecord(
                sent_at=exchange.sent_at,
                account_type=self._account.name,
                resource=call.resource,
                page=call.page,
                page_size=call.page_size,
                offer_id=call.offer_id,
                status=exchange.status,
                outcome="error" if error else "ok",
                seconds=exchange.seconds,
                bytes=len(exchange.body),
                error_class=error.error_class if error else None,
                error_body=said,
            )
        )

    def _tell(self, call: Call, exchange: Exchange, error: PipelineError | None) -> None:
        facts = {
            "page": call.page,
            "page_size": call.page_size,
            "offer_id": call.offer_id,
            "status": exchange.status,
        }
        known = {name: value for name, value in facts.items() if value is not None}
        seconds = round(exchange.seconds, 3)
        if error is None:
            log.debug("request_answered", resource=call.resource, seconds=seconds, bytes=len(exchange.body), **known)
        elif isinstance(error, RateLimited):
            log.warning("rate_limited", resource=call.resource, wait_seconds=error.wait_seconds, **known)
        elif not isinstance(error, CallAborted):
            why = redact(error.why, self._secrets, LONGEST_QUOTE)
            said = {"error_class": error.error_class, "what": error.what, "why": why}
            log.warning("request_failed", resource=call.resource, seconds=seconds, **said, **known)

    def _tell_wait(self, call: Call, state: RetryCallState) -> None:
        """Say what failed, and in how many seconds it is tried again."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, PipelineError) and state.next_action is not None:
            why = redact(error.why, self._secrets, LONGEST_QUOTE)
            said = ": ".join(part for part in (call.where, error.what, why) if part)
            self._waits(said, state.next_action.sleep)

    def _located(self, error: PipelineError, call: Call, tries: int) -> PipelineError:
        """The same error with the place, the number of tries, and nothing secret in the marketplace's own words."""
        why = redact(error.why, self._secrets, LONGEST_QUOTE)
        if tries > 1:
            why = f"{why}, tried {tries} times" if why else f"tried {tries} times"
        is_strange = self._account.is_of_sandbox and isinstance(error, AccessRefused)
        located = copy(error)  # with all that its kind says beside the words
        located.where = f"{self._account.name}, {call.where}"
        located.why = why
        located.remedy = NOT_OF_SANDBOX if is_strange else with_variables(error.remedy, self._account.variables)
        located.args = (located.message,)
        return located


def _is_enough(attempts: int, call: Call, state: RetryCallState) -> bool:
    """Whether a call that failed is given up. A page is not asked for again and again where its size may be why."""
    error = state.outcome.exception() if state.outcome else None
    if call.page is not None and isinstance(error, ApiUnavailable):
        attempts = min(attempts, error.page_tries)
    return state.attempt_number >= attempts


def _wait_seconds(state: RetryCallState) -> float:
    """The back-off, or longer if the marketplace asked for it."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_seconds if isinstance(error, TransientError) else None
    return max(_back_off(state), asked or 0.0)


# Answers as they came, for those who look at the marketplace itself: nothing is normalised.


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
