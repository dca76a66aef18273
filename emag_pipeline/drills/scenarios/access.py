"""Refused access: errors that only a person can resolve."""

from emag_pipeline.drills.actions import calls, fault
from emag_pipeline.drills.scenario import Expected, Scenario, Theme

_LOGIN = (
    "the marketplace refuses the credentials: HTTP 401, Invalid username or password. Correct the account's user name "
    "and password (EMAG_API_USERNAME and EMAG_API_PASSWORD), and check that the user has API rights."
)

_EITHER = (
    "Check the account's user name and password (EMAG_API_USERNAME and EMAG_API_PASSWORD), check that the user has API "
    "rights, and add this machine's public IP address to the whitelist in the seller's marketplace account."
)
_WORDLESS = "The response gives no reason: the credentials, the API rights or the address may be the cause"


def _refused(name: str, what: str, kind: str, says: str, *, status: int, form: str = "messages") -> Scenario:
    """A refusal that already the first call meets."""
    forms = {
        "messages": "a text in `messages`",
        "objects": "an object in `messages`",
        "errors": "a text in `errors`, with empty `messages`",
        "bare": "no body",
        "html": "an empty web page",
    }
    return Scenario(
        name=name,
        fault=what,
        produced=f"every call returns {status} and {forms[form]}",
        answer="Stops; a later run succeeds once the cause is corrected",
        lasts="At once, after one call",
        expected=Expected(5, "AccessRefused", f"main, product_offer/count: the marketplace refuses {says}"),
        arrange=fault(kind, status=status, form=form),
        look=calls(1),
    )


_NO_RIGHTS = f"access: HTTP {{}}, You are not allowed to use this API. {_EITHER}"
_ADDRESS = (
    "this machine's address: HTTP {}, Invalid vendor ip [127.0.0.1]. Add 127.0.0.1 to the whitelist in the seller's "
    "marketplace account."
)

THEME = Theme(
    "Access",
    (
        Scenario(
            name="wrong-credentials",
            fault="The credentials are refused",
            produced="every call returns 401",
            answer="Stops; the next try is the next scheduled run",
            lasts="At once, after one call",
            expected=Expected(5, "AccessRefused", f"main, product_offer/count: {_LOGIN}"),
            arrange=fault("wrong_credentials"),
            look=calls(1),
        ),
        Scenario(
            name="credentials-changed-meanwhile",
            fault="The credentials are changed in the middle of a scan",
            produced="every read of pages 5 and later returns 401",
            answer="Stops; the next run resumes after the last durable page",
            lasts="At once",
            expected=Expected(5, "AccessRefused", f"main, page …: {_LOGIN}", resumes=True),
            arrange=fault("wrong_credentials", pages=list(range(5, 12))),
        ),
        Scenario(
            name="address-not-whitelisted",
            fault="This machine's address is not on the seller's whitelist",
            produced="every call returns 403",
            answer="Stops; a later run succeeds once the address is whitelisted",
            lasts="At once, after one call",
            expected=Expected(
                5,
                "AccessRefused",
                "main, product_offer/count: the marketplace refuses this machine's address: HTTP 403, The IP 127.0.0.1 "
                "is not whitelisted for this user. Add 127.0.0.1 to the whitelist in the seller's marketplace account.",
            ),
            arrange=fault("ip_not_whitelisted"),
            look=calls(1),
        ),
        *(
            _refused(
                f"address-invalid-{status}",
                "This machine's address is not on the whitelist, with the message seen from real accounts",
                "invalid_ip",
                _ADDRESS.format(status),
                status=status,
                form=form,
            )
            for status, form in ((200, "messages"), (400, "errors"), (401, "objects"), (403, "messages"))
        ),
        *(
            _refused(
                f"not-allowed-{status}",
                "The user has no API rights, or the credentials are wrong",
                "not_allowed",
                _NO_RIGHTS.format(status),
                status=status,
                form=form,
            )
            for status, form in ((200, "messages"), (400, "objects"), (401, "errors"), (403, "messages"))
        ),
        _refused("bare-401", _WORDLESS, "not_allowed", f"access: HTTP 401. {_EITHER}", status=401, form="bare"),
        _refused("bare-403", _WORDLESS, "not_allowed", f"access: HTTP 403. {_EITHER}", status=403, form="html"),
    ),
)
