"""Statistics of requests: by which account, when, and how each was answered."""

from collections import deque
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

from emag_pipeline.sandbox.limits import RateWindows, Verdict

_KEPT_REQUESTS = 200_000


@dataclass(slots=True)
class Seen:
    """One request. `time` is in seconds since the epoch; `status` is None until it is answered.

    Page, its size and id are as the marketplace read them: None if they were not given, or in the wrong place.
    """

    time: float
    account: str
    resource: str
    page: int | None
    offer_id: int | None
    items_per_page: int | None = None
    status: int | None = None
    fault: str | None = None


class AccountStatistics:
    """One account's windows and counters."""

    def __init__(self) -> None:
        self.windows = RateWindows()
        self.requests = 0
        self.over_limit = 0
        self.at_once = 0
        self.most_at_once = 0


class Statistics:
    """All accounts' counters, and the latest requests one by one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._accounts: dict[str, AccountStatistics] = {}
        self._requests: deque[Seen] = deque(maxlen=_KEPT_REQUESTS)

    def arrive(self, seen: Seen, moment: float, per_second: float, per_minute: float) -> Verdict:
        """Count a request as in progress, and check it against the limits."""
        with self._lock:
            account = self._accounts.setdefault(seen.account, AccountStatistics())
            account.requests += 1
            account.at_once += 1
            account.most_at_once = max(account.most_at_once, account.at_once)
            self._requests.append(seen)
            verdict = account.windows.arrive(moment, per_second, per_minute)
            account.over_limit += not verdict.allowed
        return verdict

    def leave(self, seen: Seen) -> None:
        """Record that a request has ended, answered or not."""
        with self._lock:
            self._accounts[seen.account].at_once -= 1

    def reset(self) -> None:
        """Reset all counters, but not the rate windows, so that the limits keep applying."""
        with self._lock:
            self._requests.clear()
            for account in self._accounts.values():
                account.requests = account.over_limit = 0
                account.most_at_once = account.at_once
                account.windows.forget_records()

    def summary(self) -> dict[str, dict[str, int]]:
        """The counters by account."""
        with self._lock:
            return {
                name: {
                    "requests": account.requests,
                    "over_limit": account.over_limit,
                    "most_in_a_second": account.windows.most_in_a_second,
                    "most_in_a_minute": account.windows.most_in_a_minute,
                    "at_once": account.at_once,
                    "most_at_once": account.most_at_once,
                }
                for name, account in sorted(self._accounts.items())
            }

    def requests(self, account: str | None = None) -> list[dict[str, Any]]:
        """The latest requests in order of arrival, as far as they are kept (200,000)."""
        with self._lock:
            kept = list(self._requests)
        return [asdict(seen) for seen in kept if account in (None, seen.account)]
