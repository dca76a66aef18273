"""The sandbox's seller accounts: who may log in, and what each one offers."""

from collections.abc import Mapping

from emag_pipeline.sandbox.catalogue.catalogue import Catalogue
from emag_pipeline.sandbox.catalogue.life import Life

DEFAULT_PASSWORD = "sandbox"  # noqa: S105 - it protects invented goods
UNKNOWN = "unknown"


def default_user(account: str) -> tuple[str, str]:
    """User name and password of an account that was given none."""
    return f"{account}@sandbox.example", DEFAULT_PASSWORD


class Accounts:
    """All accounts by name, each with its login, catalogue and life."""

    def __init__(self, seed: int, sizes: Mapping[str, int], users: Mapping[str, tuple[str, str]]) -> None:
        if unknown := sorted(users.keys() - sizes.keys()):
            raise ValueError(f"A user is given for {unknown[0]!r}, which is not among the accounts.")
        self.catalogues = {name: Catalogue(seed, name, size) for name, size in sizes.items()}
        self.lives = {name: Life(catalogue) for name, catalogue in self.catalogues.items()}
        self._users = {name: default_user(name) for name in sizes} | dict(users)

    def owner(self, username: str) -> str:
        """The account that a user name belongs to, `unknown` for a stranger."""
        return next((name for name, user in self._users.items() if user[0] == username), UNKNOWN)

    def accepts(self, account: str, username: str, password: str) -> bool:
        """True when these are the account's credentials."""
        return self._users.get(account) == (username, password)

    def set_user(self, account: str, username: str, password: str) -> None:
        """Change an account's login; the old one is refused from now on. Raises KeyError for an unknown account."""
        if account not in self.catalogues:
            raise KeyError(account)
        self._users[account] = (username, password)

    def usernames(self) -> dict[str, str]:
        """The user name of each account."""
        return {name: user[0] for name, user in self._users.items()}
