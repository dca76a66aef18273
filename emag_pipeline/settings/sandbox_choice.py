"""Is the sandbox the marketplace, and where is it? And which addresses may be reached without encryption."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from emag_pipeline.errors import SettingsError
from emag_pipeline.settings.accounts import is_here
from emag_pipeline.settings.values import is_bind, is_port, is_web
from emag_pipeline.wording import shortened

#: Those of the sandbox that nobody tells others. Told here too, since the sandbox itself takes long to load.
OWN_ACCOUNTS = ("main", "fbe")
_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}


def is_wanted(given: Mapping[str, str]) -> bool:
    """Whether EMAG_SANDBOX asks for it. Raises SettingsError for a value that is neither yes nor no."""
    value = given.get("EMAG_SANDBOX", "0").lower()
    if value not in _YES | _NO:
        raise SettingsError(
            f"EMAG_SANDBOX is {shortened(given['EMAG_SANDBOX'])}",
            remedy="Set EMAG_SANDBOX=1 for the sandbox, or unset it",
        )
    return value in _YES


def url(given: Mapping[str, str]) -> str:
    """The base URL of the sandbox's API, without a trailing slash.

    That of EMAG_SANDBOX_URL, where another program runs it, else of the one that `up` and `sync` start. Raises
    SettingsError for an address that is none, or one given without EMAG_SANDBOX=1.
    """
    if "EMAG_SANDBOX_URL" not in given:
        bind, port = given.get("EMAG_SANDBOX_BIND", "127.0.0.1"), given.get("EMAG_SANDBOX_PORT", "8765")
        host = reached_at(bind if is_bind(bind) else "127.0.0.1")  # what is wrong with either is said of itself
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{port if is_port(port) else '8765'}/api-3"
    if not is_wanted(given):
        raise SettingsError(
            "EMAG_SANDBOX_URL is set, but not EMAG_SANDBOX",
            remedy="Set EMAG_SANDBOX=1 to read invented offers from there, or unset EMAG_SANDBOX_URL",
        )
    address = given["EMAG_SANDBOX_URL"].rstrip("/")
    if not is_address(address):
        raise SettingsError(
            "EMAG_SANDBOX_URL is no address of a sandbox",
            remedy="Set it like EMAG_SANDBOX_URL=http://127.0.0.1:8765/api-3, without user or query",
        )
    return address if urlsplit(address).path else f"{address}/api-3"


def reached_at(bind: str) -> str:
    """The host by which this machine reaches what listens on that address."""
    return "127.0.0.1" if bind == "0.0.0.0" else bind  # noqa: S104 - where to look, not where to listen


def is_address(base_url: str) -> bool:
    """Whether it is an http or https address without user, query and fragment."""
    return is_web(base_url) and not set("@?#") & set(base_url)


def is_safe(base_url: str) -> bool:
    """Whether credentials may go there: encrypted, or not leaving this machine."""
    parts = urlsplit(base_url)
    return parts.scheme == "https" or is_here(parts.hostname or "")
