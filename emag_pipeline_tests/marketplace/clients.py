"""Clients of a sandbox, with a pace that costs a test no time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from emag_pipeline.marketplace import MarketplaceClient, ProcessBudget
from emag_pipeline.model import RequestRecord
from emag_pipeline.settings.accounts import Account, AccountName

#: Distinctive, and with characters that every encoding spells in another way.
PASSWORD = 'Pa55/wörd"&+ț'
USERNAME = "main@sandbox.example"


class Client(MarketplaceClient):
    """A marketplace client that keeps its records and its waits."""

    def __init__(
        self,
        url: str,
        *,
        password: str = PASSWORD,
        variables: tuple[str, ...] = ("EMAG_API_USERNAME", "EMAG_API_PASSWORD"),
        per_second: float = 1000.0,
        username: str = USERNAME,
        is_of_sandbox: bool = False,
        **options: Any,
    ) -> None:
        self.records: list[RequestRecord] = []
        self.waits: list[float] = []
        account = Account(AccountName("main"), url, username, SecretStr(password), variables, is_of_sandbox)
        budget = _Budget(self.waits, per_second)
        super().__init__(account, budget, record=self.records.append, **options)

    @property
    def outcomes(self) -> list[str]:
        """Of each attempt 'ok', or the error's class."""
        return [record.error_class or record.outcome for record in self.records]


class _Budget(ProcessBudget):
    def __init__(self, waits: list[float], per_second: float) -> None:
        super().__init__(per_second, per_second * 60)
        self._waits = waits

    def slow_down(self, account: str, wait_seconds: float, sent_seconds_ago: float = 0.0) -> None:
        self._waits.append(wait_seconds)
        super().slow_down(account, wait_seconds, sent_seconds_ago)


@contextmanager
def client_of(url: str, **options: Any) -> Iterator[Client]:
    """A client that is closed at the end."""
    client = Client(url, **options)
    yield client
    client.close()
