"""Which marketplace an account sells on, told from the address of its API (docs/marketplace-api.md, "Platforms")."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One country's platform. `currency` (ISO 4217) and `language` are None where the platform is not known."""

    name: str
    currency: str | None = None
    language: str | None = None


#: Bulgaria uses the euro since 2026-01-01; the vendor's document still says BGN.
_BY_HOST = {
    "marketplace-api.emag.ro": Marketplace("emag_ro", "RON", "ro"),
    "marketplace-api.emag.bg": Marketplace("emag_bg", "EUR", "bg"),
    "marketplace-api.emag.hu": Marketplace("emag_hu", "HUF", "hu"),
    "marketplace-ro-api.fashiondays.com": Marketplace("fashiondays_ro", "RON", "ro"),
    "marketplace-bg-api.fashiondays.com": Marketplace("fashiondays_bg", "EUR", "bg"),
}
#: Behaves like eMAG Romania.
SANDBOX = Marketplace("sandbox", "RON", "ro")


def marketplace_of(base_url: str) -> Marketplace:
    """The marketplace behind an API's address: the sandbox for one on this machine, a strange one named by its host."""
    host = urlsplit(base_url).hostname or ""
    if host in _BY_HOST:
        return _BY_HOST[host]
    return SANDBOX if is_here(host) else Marketplace(host)


def is_here(host: str) -> bool:
    """Whether a host is this machine, by a loopback address or the name `localhost`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
