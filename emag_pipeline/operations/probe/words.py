"""The marketplace's own words in a form that can be shown to anybody."""

import re
from urllib.parse import urlsplit

from emag_pipeline.accounts import Account
from emag_pipeline.errors import PipelineError
from emag_pipeline.redaction import redact, secrets_of

_LONGEST = 300
_REPLACED = (
    (re.compile(r"^HTTP \d{3}(?:, |$)"), ""),  # the status is told beside it
    (re.compile(r"\"[^\"]*\"|'[^']*'|„[^”]*”|“[^”]*”|«[^»]*»"), "[…]"),
    (re.compile(r"\w+://\S+"), "[address]"),
    (re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)"), "[IP address]"),
    (re.compile(r"(?i)(?<!\w)(?:[0-9a-f]{0,4}:){2,}[0-9a-f.:]*(?!\w)"), "[IP address]"),
    (re.compile(r"(?i)\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b"), "[host]"),
    (re.compile(r"\d[\d .,]*\d\d|\d+[.,]\d+"), "[number]"),
)


def shareable(text: str, account: Account) -> str:
    """The text without the account's login, addresses, hosts, quotations, and numbers of three digits or more."""
    user = account.username.partition("@")[0]
    host = urlsplit(account.base_url).hostname or ""
    text = redact(text, secrets_of(account) | {account.username}, _LONGEST)
    for one in filter(None, (user, host)):
        text = re.sub(rf"(?i)(?<!\w){re.escape(one)}(?!\w)", "[…]", text)
    for pattern, instead in _REPLACED:
        text = pattern.sub(instead, text)
    return text


def described(error: PipelineError, account: Account) -> dict[str, str]:
    """The error's class, what it means, and what the marketplace said."""
    return {
        "error": error.error_class,
        "what": shareable(error.what, account),
        "words": shareable(error.why, account),
    }
