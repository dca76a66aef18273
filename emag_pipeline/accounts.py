"""What an account is: one seller login on one marketplace, and the partition key everywhere."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import NewType
from urllib.parse import urlsplit

from pydantic import SecretStr

from emag_pipeline.marketplaces import SANDBOX, Marketplace, marketplace_of

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
