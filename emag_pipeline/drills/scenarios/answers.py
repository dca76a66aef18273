"""Answers that are no good answers: only `isError` with value false proves that a call has succeeded."""

from emag_pipeline.drills.actions import all_of, fault
from emag_pipeline.drills.scenario import Expected, Persisting, Scenario, Theme

_TRIES = "Up to 5 tries a call, 0.5 to 4 s apart with jitter"
_AGAIN = "Tries the call again"
_STATUS = "It is retried; if it persists, check the marketplace's status."


def _untrusted(kind: str, what: str) -> Persisting:
    return Persisting({"kind": kind}, "ApiUnavailable", f"main, offer …: {what} {_STATUS}")


THEME = Theme(
    "Answers",
    (
        Scenario(
            name="server-errors-pass",
            fault="Server errors for a while",
            produced="6 calls are answered with 503",
            answer=_AGAIN,
            lasts=_TRIES,
            arrange=fault("server_error", count=6),
        ),
        Scenario(
            name="server-errors-persist",
            fault="Server errors that persist",
            produced="every read after the fifth is answered with 503, whatever the page's size",
            answer="Tries the call, then the step again, then fails; the next run resumes after the last durable page",
            lasts="5 tries a call (about 9 s), and the step 3 more times after 5, 10 and 20 s",
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
            fault="Answers that end in the middle",
            produced="3 answers hold half of their JSON, 3 fewer bytes than they promise",
            answer=_AGAIN,
            lasts=_TRIES,
            persisting=_untrusted("truncated_json", "the response is truncated or not JSON: HTTP 200."),
            arrange=all_of(fault("truncated_json", count=3), fault("truncated_json", count=3, cut="connection")),
        ),
        Scenario(
            name="html-with-200",
            fault="A gateway's page, with status 200",
            produced="4 calls are answered with HTML",
            answer=_AGAIN,
            lasts=_TRIES,
            persisting=_untrusted("html_200", "the response is a web page, not JSON: HTTP 200."),
            arrange=fault("html_200", count=4),
        ),
        Scenario(
            name="is-error-true",
            fault="isError is true, with status 200",
            produced="4 calls are answered with isError true and a message",
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
            fault="isError is missing from a good answer",
            produced="4 answers without the key",
            answer=_AGAIN,
            lasts=_TRIES,
            persisting=_untrusted(
                "missing_is_error", "the response has no valid isError flag: HTTP 200, isError is missing."
            ),
            arrange=fault("missing_is_error", count=4),
        ),
        Scenario(
            name="rate-limit-storm",
            fault="429, although the pace was kept: other software uses the account",
            produced="5 calls are answered with 429 and Retry-After 1",
            answer="Waits as asked, slows all calls of the account down for a while, and tries again",
            lasts="What Retry-After says (at most 120 s); up to 5 tries a call",
            persisting=Persisting(
                {"kind": "storm_429", "retry_after": 1},
                "RateLimited",
                "main, offer …: the rate limit is exceeded: HTTP 429, API rate limit exceeded. It is tried "
                "again more slowly; if other software uses the account, set EMAG_SYNC_RATE_SHARE.",
            ),
            arrange=fault("storm_429", count=5, retry_after=1),
        ),
    ),
)
