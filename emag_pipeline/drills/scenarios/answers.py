"""Invalid responses: only `isError` with the value false proves that a call succeeded."""

from emag_pipeline.drills.actions import all_of, fault
from emag_pipeline.drills.scenario import Expected, Persisting, Scenario, Theme

_TRIES = "Up to 5 tries per call, 0.5 to 4 s apart with jitter"
_AGAIN = "Retries the call"
_STATUS = "It is retried; if it persists, check the marketplace's status."


def _untrusted(kind: str, what: str) -> Persisting:
    return Persisting({"kind": kind}, "ApiUnavailable", f"main, offer …: {what} {_STATUS}")


THEME = Theme(
    "Responses",
    (
        Scenario(
            name="server-errors-pass",
            fault="Temporary server errors",
            produced="6 calls return 503",
            answer=_AGAIN,
            lasts=_TRIES,
            arrange=fault("server_error", count=6),
        ),
        Scenario(
            name="server-errors-persist",
            fault="Persistent server errors",
            produced="every read after the fifth returns 503, whatever the page size",
            answer="Retries the call, then the step, then fails; the next run resumes after the last durable page",
            lasts="5 tries per call (about 9 s); the step is retried 3 times, after 5, 10 and 20 s",
            expected=Expected(
                1,
                "ApiUnavailable",
                f"main, page …: the marketplace fails: HTTP 503, tried 5 times. {_STATUS}",
                resumes=True,
            ),
            arrange=fault("server_error", resource="product_offer/read", after=5),
            long=True,
        ),
        Scenario(
            name="cut-off-json",
            fault="Truncated responses",
            produced="3 responses hold half of their JSON, 3 hold fewer bytes than their Content-Length",
            answer=_AGAIN,
            lasts=_TRIES,
            persisting=_untrusted("truncated_json", "the response is truncated or not JSON: HTTP 200."),
            arrange=all_of(fault("truncated_json", count=3), fault("truncated_json", count=3, cut="connection")),
        ),
        Scenario(
            name="html-with-200",
            fault="A gateway's web page with status 200",
            produced="4 calls return HTML",
            answer=_AGAIN,
            lasts=_TRIES,
            persisting=_untrusted("html_200", "the response is a web page, not JSON: HTTP 200."),
            arrange=fault("html_200", count=4),
        ),
        Scenario(
            name="is-error-true",
            fault="isError is true, with status 200",
            produced="4 calls return isError true and a message",
            answer=_AGAIN,
            lasts=_TRIES,
            persisting=_untrusted(
                "is_error",
                "the marketplace reports an error: HTTP 200, isError is true, An internal error has occurred.",
            ),
            arrange=fault("is_error", count=4),
        ),
        Scenario(
            name="is-error-missing",
            fault="isError is missing from an otherwise valid response",
            produced="4 responses without the key",
            answer=_AGAIN,
            lasts=_TRIES,
            persisting=_untrusted(
                "missing_is_error", "the response has no valid isError flag: HTTP 200, isError is missing."
            ),
            arrange=fault("missing_is_error", count=4),
        ),
        Scenario(
            name="rate-limit-storm",
            fault="429 although the rate limit was kept: other software uses the account",
            produced="5 calls return 429 and Retry-After 1",
            answer="Waits as long as Retry-After asks, temporarily slows down all calls of the account, and retries",
            lasts="The seconds of Retry-After (at most 120 s); up to 5 tries per call",
            persisting=Persisting(
                {"kind": "storm_429", "retry_after": 1},
                "RateLimited",
                "main, offer …: the rate limit is exceeded: HTTP 429, API rate limit exceeded. It is retried "
                "more slowly; if other software uses the account, set EMAG_SYNC_RATE_SHARE.",
            ),
            arrange=fault("storm_429", count=5, retry_after=1),
        ),
    ),
)
