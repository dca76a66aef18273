"""The marketplace itself: accounts, settings, faults, statistics, and the resources of the API."""

import itertools
import time
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from emag_pipeline.sandbox.answers import Answer, Refusal
from emag_pipeline.sandbox.calls import Call
from emag_pipeline.sandbox.catalogue.catalogue import Catalogue
from emag_pipeline.sandbox.catalogue.life import Life
from emag_pipeline.sandbox.catalogue.shapes import Shapes
from emag_pipeline.sandbox.faults import Faults
from emag_pipeline.sandbox.like.likeness import Likeness, LikeShapes
from emag_pipeline.sandbox.offer_pages import OfferPages
from emag_pipeline.sandbox.reference import ReferenceAnswers
from emag_pipeline.sandbox.settings import SandboxSettings
from emag_pipeline.sandbox.statistics import Statistics

DEFAULT_PASSWORD = "sandbox"  # noqa: S105 - it protects only invented data
UNKNOWN = "unknown"


def default_user(account: str) -> tuple[str, str]:
    """The default user name and password of an account."""
    return f"{account}@sandbox.example", DEFAULT_PASSWORD


class Accounts:
    """All accounts by name, each with its login, catalogue and life."""

    def __init__(self, seed: int, sizes: Mapping[str, int], users: Mapping[str, tuple[str, str]]) -> None:
        if unknown := sorted(users.keys() - sizes.keys()):
            raise ValueError(f"A user is given for {unknown[0]!r}, which is not one of the accounts.")
        self.catalogues = {name: Catalogue(seed, name, size) for name, size in sizes.items()}
        self.lives = {name: Life(catalogue) for name, catalogue in self.catalogues.items()}
        self._users = {name: default_user(name) for name in sizes} | dict(users)

    def owner(self, username: str) -> str:
        """The account that a user name belongs to, `unknown` if there is none."""
        return next((name for name, user in self._users.items() if user[0] == username), UNKNOWN)

    def accepts(self, account: str, username: str, password: str) -> bool:
        """True if these are the account's credentials."""
        return self._users.get(account) == (username, password)

    def set_user(self, account: str, username: str, password: str) -> None:
        """Change an account's login; the old one is refused afterwards. Raises KeyError for an unknown account."""
        if account not in self.catalogues:
            raise KeyError(account)
        self._users[account] = (username, password)

    def usernames(self) -> dict[str, str]:
        """The user name of each account."""
        return {name: user[0] for name, user in self._users.items()}


class Marketplace:
    """The state of one sandbox. Thread-safe."""

    def __init__(
        self, seed: int, accounts: Accounts, settings: SandboxSettings, likeness: Likeness | None = None
    ) -> None:
        self.seed = seed
        self.accounts = accounts
        self.faults = Faults(seed)
        self.statistics = Statistics()
        self.settings = SandboxSettings()
        self._counts = itertools.count()
        self._likeness = likeness
        self._alike = {
            name: LikeShapes(likeness, catalogue) for name, catalogue in accounts.catalogues.items() if likeness
        }
        # One page is rendered at a time: concurrent rendering is no faster, and would delay the arrival times.
        self._turn = Lock()
        self.apply(settings)

    def apply(self, settings: SandboxSettings) -> None:
        """Apply these settings from now on."""
        for name, catalogue in self.accounts.catalogues.items():
            catalogue.order, catalogue.arrivals = settings.order, settings.arrivals
            if settings.changes_per_second != self.settings.changes_per_second:
                self.accounts.lives[name].set_rate(settings.changes_per_second, time.monotonic())
        self.settings = settings

    def shapes(self, account: str) -> Shapes | LikeShapes:
        """The shapes of the account's offers."""
        if account in self._alike:
            return self._alike[account]
        return Shapes(self.seed, account, self.settings.shape_share)

    def answer(self, call: Call, account: str, data: Mapping[str, Any]) -> Answer:
        """The response to a call. Raises Refusal for an invalid call, PageBroken if a fault breaks the page."""
        resources: dict[str, Callable[[], Answer]] = {
            "product_offer/read": lambda: self._offers(account).read(dict(data)),
            "product_offer/count": lambda: self._offers(account).count(dict(data), as_text=self._as_text()),
            "category/read": lambda: self._reference(account).categories(dict(data), call.language),
            "category/count": lambda: self._reference(account).count_categories(dict(data), as_text=self._as_text()),
            "vat/read": lambda: self._reference(account).vat_rates(),
            "handling_time/read": lambda: self._reference(account).handling_times(),
        }
        if call.method != "POST":
            raise Refusal("Only the method POST is allowed", 405)
        if call.resource not in resources:
            raise Refusal(f"Unknown resource or action: {call.resource}", 404)
        with self._turn:
            return resources[call.resource]()

    def _offers(self, account: str) -> OfferPages:
        return OfferPages(
            self.accounts.catalogues[account],
            self.accounts.lives[account],
            self.faults,
            self.shapes(account),
            0.0 if self._likeness else self.settings.quirk_share,
        )

    def _reference(self, account: str) -> ReferenceAnswers:
        return ReferenceAnswers(account, self.seed, self.faults, self.settings.shape_share, self.settings.quirk_share)

    def _as_text(self) -> bool:
        """Whether a count's numbers are text: as in the probed account, if that is known; else in every second count.

        With a quirk_share of 1, in all counts; with a shape_share of 0, in none.
        """
        if self._likeness and self._likeness.counts_as_text is not None:
            return self._likeness.counts_as_text
        return self.settings.quirk_share >= 1 or (self.settings.shape_share > 0 and next(self._counts) % 2 == 0)
