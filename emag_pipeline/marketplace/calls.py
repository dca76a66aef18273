"""The API calls of one account: paced, bounded, retried if that can help, and recorded."""

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
    is_unknown_user,
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
#: The marketplace's maximum and default page size (docs/marketplace-api.md, "Pages, counts and order").
MOST_PER_PAGE = 100
_OWN_ERRORS = (ApiUnavailable, RateLimited, AccessRefused, RequestRefused, ParametersIgnored, CallAborted)
_back_off = wait_exponential(multiplier=0.5, max=30.0) + wait_random(0.0, 0.5)


@dataclass(frozen=True, slots=True)
class Call:
    """One request: resource, filters and pagination, and the language of names if it matters."""

    resource: str
    parameters: Mapping[str, int]
    page: int | None = None
    page_size: int | None = None
    offer_id: int | None = None
    language: str | None = None
    #: maximum number of attempts, if lower than usual
    tries: int | None = None
    #: a complete body from the caller, instead of `parameters`
    content: Mapping[str, object] | None = None

    @property
    def address(self) -> str:
        """The path after the base URL."""
        return self.resource if self.language is None else f"{self.resource}?language={self.language}"

    @property
    def body(self) -> bytes:
        """The request's body, with the parameters both under `data` and at the top level unless `content` is given.

        The vendor's document v4.4.9 puts them under `data`, v4.5.1 at the top level; in the wrong place they are
        silently ignored (docs/marketplace-api.md, "Calls and responses").
        """
        content = {**self.parameters, "data": self.parameters} if self.content is None else self.content
        return json_text.compact(content).encode()

    @property
    def where(self) -> str:
        """The call as error messages name it."""
        if self.offer_id is not None:
            return f"offer {self.offer_id}"
        if self.page is None:
            return self.resource
        page = f"page {self.page}" if self.page_size == MOST_PER_PAGE else f"page {self.page} (size {self.page_size})"
        return page if self.resource == "product_offer/read" else f"{self.resource}, {page}"


class ApiCalls:
    """One account's calls. Thread-safe: each thread has its own connection, all share the account's pace.

    `record` is called with every attempt, from the calling thread; `waits` before each wait for a retry, with the
    failure and the seconds. Errors raised by `record` and by the rate budget pass through unchanged. Calls raise
    ApiUnavailable and RateLimited after `attempts` attempts; AccessRefused, RequestRefused, ParametersIgnored and
    CallAborted at once.
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
        #: of the newest response, successful or not
        self.response_headers: ResponseHeaders | None = None

    def ask(self, call: Call, understand: Callable[[object, datetime], T]) -> T:
        """Call, and return what `understand` makes of the results and their time of arrival.

        `understand` may raise the same errors as a call.
        """
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
        """End the calls and waits of all threads now; every later call raises CallAborted. Idempotent."""
        self._pacer.stop()
        self._transport.abort()

    def close(self) -> None:
        """Close the connections; no call may be in progress."""
        self._transport.close()

    def _attempt(self, call: Call, understand: Callable[[object, datetime], T]) -> T:
        exchange = Exchange()
        try:
            self._transport.post(call.address, call.body, exchange, self._pacer)
            self.response_headers = response_headers(exchange.headers)
            results = results_of(exchange.status or 0, exchange.headers, bytes(exchange.body))
            understood = understand(results, exchange.ended_at)
        except _OWN_ERRORS as error:
            if self._account.is_of_sandbox and isinstance(error, AccessRefused) and is_unknown_user(exchange.headers):
                error.remedy = NOT_OF_SANDBOX
            self._keep(call, exchange, error)
            if isinstance(error, RateLimited):
                self._budget.slow_down(self._account.login, error.wait_seconds or 0.0, exchange.seconds)
            raise
        self._keep(call, exchange, None)
        return understood

    def _keep(self, call: Call, exchange: Exchange, error: PipelineError | None) -> None:
        """Record the attempt, unless it was aborted before it was sent."""
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
        """Report what failed and the seconds until the retry."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, PipelineError) and state.next_action is not None:
            why = redact(error.why, self._secrets, LONGEST_QUOTE)
            said = ": ".join(part for part in (call.where, error.what, why) if part)
            self._waits(said, state.next_action.sleep)

    def _located(self, error: PipelineError, call: Call, tries: int) -> PipelineError:
        """The same error with the place and the number of attempts, and secrets removed from quoted messages."""
        why = redact(error.why, self._secrets, LONGEST_QUOTE)
        if tries > 1:
            why = f"{why}, tried {tries} times" if why else f"tried {tries} times"
        located = copy(error)  # keeps the attributes of its class
        located.where = f"{self._account.name}, {call.where}"
        located.why = why
        located.remedy = with_variables(error.remedy, self._account.variables)
        located.args = (located.message,)
        return located


def _is_enough(attempts: int, call: Call, state: RetryCallState) -> bool:
    """Whether to stop retrying. A page whose size may be the cause has fewer attempts, see `page_tries`."""
    error = state.outcome.exception() if state.outcome else None
    if call.page is not None and isinstance(error, ApiUnavailable):
        attempts = min(attempts, error.page_tries)
    return state.attempt_number >= attempts


def _wait_seconds(state: RetryCallState) -> float:
    """The back-off, or the marketplace's requested wait if that is longer."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_seconds if isinstance(error, TransientError) else None
    return max(_back_off(state), asked or 0.0)


# Raw responses, for examining the marketplace itself: nothing is normalised.


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """A response. `content` is its JSON, None if it has none; `error` is why the call counts as failed."""

    status: int | None
    headers: Mapping[str, str]
    content: object
    bytes: int
    seconds: float
    ended_at: datetime
    error: PipelineError | None

    @property
    def results(self) -> object:
        """The `results` of a successful response, else None."""
        return self.content.get("results") if self.error is None and isinstance(self.content, dict) else None


class RawCalls(ApiCalls):
    """Calls with the caller's own bodies, paced and recorded like all others. For one thread only."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """The arguments are those of `ApiCalls`."""
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
        """Send this body; refusals and failures are returned in the answer, not raised.

        `page`, `page_size` and `offer_id` are only recorded in the request log.
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
