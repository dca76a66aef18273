"""Refusals that only a person can end."""

from emag_pipeline.operations.drills.actions import calls, fault
from emag_pipeline.operations.drills.scenario import Expected, Scenario, Theme

_LOGIN = (
    "the marketplace refuses the credentials: HTTP 401, Invalid username or password. Correct the account's user name "
    "and password (EMAG_API_USERNAME and EMAG_API_PASSWORD), and check that the user has API rights."
)

THEME = Theme(
    "Access",
    (
        Scenario(
            name="wrong-credentials",
            fault="The credentials are refused",
            produced="every call is answered with 401",
            answer="Stops; the next run begins once they are corrected",
            lasts="At once, after one call",
            expected=Expected(5, "AccessRefused", f"main, product_offer/count: {_LOGIN}"),
            arrange=fault("wrong_credentials"),
            look=calls(1),
        ),
        Scenario(
            name="credentials-changed-meanwhile",
            fault="The credentials are changed in the middle of a scan",
            produced="every read of pages 5 and later is answered with 401",
            answer="Stops; the next run resumes after the last durable page",
            lasts="At once",
            expected=Expected(5, "AccessRefused", f"main, page …: {_LOGIN}", resumes=True),
            arrange=fault("wrong_credentials", pages=list(range(5, 12))),
        ),
        Scenario(
            name="address-not-whitelisted",
            fault="This machine's address is not on the seller's whitelist",
            produced="every call is answered with 403",
            answer="Stops; the next run begins once it is",
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
    ),
)
