"""What an account is: one seller login on one marketplace, and the partition key everywhere."""

from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from typing import NewType
from urllib.parse import urlsplit

from pydantic import SecretStr

# Which marketplace an account sells on, told from the address of its API (docs/marketplace-api.md, "Platforms").


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


AccountName = NewType("AccountName", str)


@dataclass(frozen=True, slots=True)
class Account:
    """One seller login. `base_url` has no trailing slash, e.g. `https://marketplace-api.emag.ro/api-3`."""

    name: AccountName
    base_url: str
    username: str
    password: SecretStr = field(repr=False)
    #: the environment variables that user name and password come from
    variables: tuple[str, ...] = ("EMAG_API_USERNAME", "EMAG_API_PASSWORD")
    #: the sandbox by choice, wherever it is
    is_of_sandbox: bool = False

    @property
    def login(self) -> str:
        """Fingerprint of whom the marketplace sees: accounts that share it share the rate limit and the catalogue."""
        parts = urlsplit(self.base_url)
        port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
        seen = f"{parts.hostname}{port}{parts.path.rstrip('/')}\n{self.username.casefold()}"
        return sha256(seen.encode()).hexdigest()[:32]

    @property
    def marketplace(self) -> Marketplace:
        """The marketplace that the account sells on."""
        return SANDBOX if self.is_of_sandbox else marketplace_of(self.base_url)

    @property
    def host(self) -> str:
        """The marketplace's host, without port."""
        return urlsplit(self.base_url).hostname or ""
