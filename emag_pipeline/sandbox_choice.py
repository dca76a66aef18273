"""Is the sandbox the marketplace, and where is it? And which addresses may be reached without encryption."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from emag_pipeline.errors import SettingsError
from emag_pipeline.marketplaces import is_here

#: Those of the sandbox that nobody tells others. Told here too, since the sandbox itself takes long to load.
OWN_ACCOUNTS = ("main", "fbe")
_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}


def is_wanted(given: Mapping[str, str]) -> bool:
    """Whether EMAG_SANDBOX asks for it. Raises SettingsError for a value that is neither yes nor no."""
    value = given.get("EMAG_SANDBOX", "0").lower()
    if value not in _YES | _NO:
        raise SettingsError(
            f"EMAG_SANDBOX is {given['EMAG_SANDBOX']!r}", remedy="Set EMAG_SANDBOX=1 for the sandbox, or unset it"
        )
    return value in _YES


def url(given: Mapping[str, str]) -> str:
    """The base URL of the sandbox's API, without a trailing slash.

    That of EMAG_SANDBOX_URL, where another program runs it, else of the one that `up` and `sync` start. Raises
    SettingsError for an address that is none, or one given without EMAG_SANDBOX=1.
    """
    if "EMAG_SANDBOX_URL" not in given:
        host = reached_at(given.get("EMAG_SANDBOX_BIND", "127.0.0.1"))
        return f"http://{host}:{given.get('EMAG_SANDBOX_PORT', '8765')}/api-3"
    if not is_wanted(given):
        raise SettingsError(
            "EMAG_SANDBOX_URL is set, but not EMAG_SANDBOX",
            remedy="Set EMAG_SANDBOX=1 to read invented offers from there, or unset EMAG_SANDBOX_URL",
        )
    address = given["EMAG_SANDBOX_URL"].rstrip("/")
    if not is_address(address):
        raise SettingsError(
            f"EMAG_SANDBOX_URL is {_shown(address)!r}, which is no address of a sandbox",
            remedy="Set it like EMAG_SANDBOX_URL=http://127.0.0.1:8765/api-3",
        )
    return address if urlsplit(address).path else f"{address}/api-3"


def reached_at(bind: str) -> str:
    """The host by which this machine reaches what listens on that address."""
    return "127.0.0.1" if bind == "0.0.0.0" else bind  # noqa: S104 - where to look, not where to listen


def is_address(base_url: str) -> bool:
    """Whether it is an http or https address without user, query and fragment."""
    try:
        parts = urlsplit(base_url)
        _ = parts.port  # raises for what is no number
    except ValueError:
        return False
    plain = "@" not in parts.netloc and not parts.query and not parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain


def is_safe(base_url: str) -> bool:
    """Whether credentials may go there: encrypted, or not leaving this machine."""
    parts = urlsplit(base_url)
    return parts.scheme == "https" or is_here(parts.hostname or "")


def _shown(address: str) -> str:
    """Without what stands before an @, which may be a password."""
    return address.rpartition("@")[2]
