"""What the marketplace refuses, by its words and not by its HTTP status.

The same words come with HTTP 200, 400, 401 or 403, depending on which of the marketplace's servers answers. None of
these refusals is helped by another try. Source: docs/marketplace-api.md, "Errors and refusals".
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address

from emag_pipeline.errors import AccessRefused, RequestRefused

Words = tuple[str, ...]

#: Statuses by which the marketplace refuses what a call holds, also where the answer has no `isError`.
BAD_REQUEST = frozenset({400, 422})

_ADDRESS = re.compile(
    r"(?i)white-?\s?list|\binvalid\b.{0,20}\bip\b|\bip\b.{0,60}\b(?:not|allowed|denied|blocked|invalid|unknown)\b"
)
_CREDENTIALS = re.compile(
    r"(?i)\b(?:invalid|wrong|bad|incorrect|missing|unknown)\b.{0,30}\b(?:user ?name|user|password|credentials?|login)\b"
    r"|\bauthentication (?:failed|error|required)\b"
)
_ACCESS = re.compile(
    r"(?i)\bnot allowed to use\b|\bunauthori[sz]ed\b|\bnot authori[sz]ed\b|\bauthentication\b|\bforbidden\b"
    r"|\b(?:access|permission) (?:is )?denied\b|\bno (?:api )?(?:rights?|access|permission)\b"
)
_IP = re.compile(r"(?<!\w)[0-9A-Fa-f:.]{3,45}(?!\w)")
#: What only the caller's own mistake can cause: this software has built the request.
_WRONG_CALL = re.compile(
    r"(?i)maximum input vars|\bmandatory\b.{0,40}\bmissing\b|\bmissing\b.{0,40}\b(?:mandatory|key|parameter|field)\b"
    r"|\bmust be (?:an?|between|one of|greater|less|at least|at most|in)\b"
    r"|\bis not an? (?:valid )?(?:integer|number|array|object|string)\b"
    r"|\blimited to maximum\b|\binvalid (?:json|content|format|parameter|request)\b"
)
_DEFECT_STATUSES = frozenset({405, 406, 411, 413, 414, 415, 431})

#: The keys of an object under which texts for people stand, and how deep they are looked for.
_TEXT_KEYS = ("message", "text", "error", "description", "detail", "messages", "errors")
_DEEPEST = 10

#: Of an account without credentials, which only EMAG_ACCOUNTS names.
NOT_OF_SANDBOX = "Correct EMAG_ACCOUNTS, or the sandbox that answers here: it has no account of that name"
#: The words that `with_variables` completes.
_LOGIN = "the account's user name and password"
_API_RIGHTS = "check that the user has API rights"
_WHITELIST = "to the whitelist in the seller's marketplace account"
_THIS_ADDRESS = "this machine's public IP address"


def words_in(content: Mapping[str, object]) -> Words:
    """What an answer says in `messages`, `message` and `errors` (texts or objects, nested), each text once."""
    parts = [content.get(name) for name in ("messages", "message", "errors", "error")]
    return tuple(dict.fromkeys(text for part in parts for text in _texts(part)))


def access_refused(status: int, why: str, words: Words) -> AccessRefused | None:
    """The error if the words, or a bare 401 or 403, refuse the caller itself; None otherwise."""
    said = "; ".join(words)
    if _ADDRESS.search(said):
        address = _address_in(said) or _THIS_ADDRESS
        remedy = f"Add {address} {_WHITELIST}"
        return AccessRefused("the marketplace refuses this machine's address", why=why, remedy=remedy)
    if _CREDENTIALS.search(said):
        remedy = f"Correct {_LOGIN}, and {_API_RIGHTS}"
        return AccessRefused("the marketplace refuses the credentials", why=why, remedy=remedy)
    if status in (401, 403) or _ACCESS.search(said):
        remedy = f"Check {_LOGIN}, {_API_RIGHTS}, and add {_THIS_ADDRESS} {_WHITELIST}"
        return AccessRefused("the marketplace refuses access", why=why, remedy=remedy)
    return None


def is_wrong_call(words: Words) -> bool:
    """Whether the words blame the request as it was built, so that the same request cannot succeed."""
    return any(map(_WRONG_CALL.search, words))


def request_refused(status: int, why: str, words: Words) -> RequestRefused:
    """The error of a call that the marketplace understood and refused for another reason than who called."""
    if is_wrong_call(words) or status in _DEFECT_STATUSES:
        remedy = "This is a defect in the pipeline or a change of the API: report it with this line"
    elif status == 404:
        remedy = "Check the account's base URL"
    elif words:
        remedy = "Correct in the seller's marketplace account what the message names, or send it to eMAG's API support"
    else:
        remedy = "The marketplace gives no reason: send the time of this call to eMAG's API support"
    return RequestRefused("the marketplace refuses the request", why=why, remedy=remedy)


def with_variables(remedy: str, variables: Sequence[str]) -> str:
    """A remedy that names the environment variables of the account's user name and password."""
    return remedy.replace(_LOGIN, f"{_LOGIN} ({' and '.join(variables)})")


def _address_in(said: str) -> str | None:
    """The first IPv4 or IPv6 address, in brackets or without."""
    for found in _IP.finditer(said):
        address = found[0].rstrip(".")
        with suppress(ValueError):
            if not ip_address(address).is_unspecified:
                return address
    return None


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Every text in a piece of JSON; of an object those under the keys for people, with the field they are about."""
    if isinstance(value, str) and value.strip():
        yield " ".join(value.split()).rstrip(".")
    elif isinstance(value, list) and depth < _DEEPEST:
        for item in value:
            yield from _texts(item, depth + 1)
    elif isinstance(value, dict) and depth < _DEEPEST:
        parts = [value[key] for key in _TEXT_KEYS if value.get(key)] or list(value.values())
        field = value.get("field")
        about = f"{field}: " if isinstance(field, str) and field.strip() else ""
        for item in parts:
            yield from (about + text for text in _texts(item, depth + 1))
