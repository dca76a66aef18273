"""What the database says against what must be so; every difference is a sentence."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from emag_pipeline.store.engine import Database
from emag_pipeline_tests.month.judge import assortment, buy_button, issues, low_stock
from emag_pipeline_tests.month.past import COMMERCIAL, Past
from emag_pipeline_tests.sync.syncs import rows

Row = Mapping[str, Any]
Table = Mapping[Any, Row]

_INSTANT = timedelta(microseconds=1)
_COMMERCIAL = ", ".join(COMMERCIAL)
_AS_OF = f"SELECT emag_offer_id, {_COMMERCIAL} FROM emag_offers_as_of(:account, :at)"
_NOW = f"SELECT emag_offer_id, {_COMMERCIAL} FROM emag_current_offers WHERE account_type = :account"
_MART = "SELECT * FROM emag_{mart} WHERE account_type = :account"


@dataclass(slots=True)
class Reckoning:
    """How many rows of each kind were compared and how many differences they had; each of these as a sentence."""

    compared: "Counter[str]" = field(default_factory=Counter)
    differing: "Counter[str]" = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def compare(self, what: str, account: str, expected: Table, found: Table) -> None:
        """Compare two tables by key; of each row, the columns that are expected."""
        lines = [f"{what} of {account}, {line}" for line in _differences(expected, found)]
        self.compared[what] += len(expected.keys() | found.keys())
        self.differing[what] += len(lines)
        self.differences += lines


def _differences(expected: Table, found: Table) -> Iterator[str]:
    yield from (f"{key} is missing: {dict(expected[key])}" for key in sorted(expected.keys() - found.keys()))
    yield from (f"{key} should not be there: {dict(found[key])}" for key in sorted(found.keys() - expected.keys()))
    for key in sorted(expected.keys() & found.keys()):
        for column, value in expected[key].items():
            if found[key][column] != value:
                yield f"{key}, {column} is {_shown(found[key][column])}, not {_shown(value)}"


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, Decimal | datetime) else repr(value)


def reconcile(database: Database, past: Past) -> Reckoning:
    """Every mart, every past moment and the present of every account."""
    reckoning = Reckoning()
    now = datetime.now(UTC)
    for account in past.publishes:
        reconcile_marts(reckoning, database, past, account)
        wanted = assortment.expected(past, account, now)
        found = _table(database, _MART.format(mart="daily_assortment"), "day", account=account)
        reckoning.compare("daily_assortment", account, wanted, found)
        _reconcile_moments(reckoning, database, past, account)
        present = _table(database, _NOW, "emag_offer_id", account=account)
        reckoning.compare("current offers", account, _commercial(past.newest(account).offers), present)
    return reckoning


def reconcile_marts(reckoning: Reckoning, database: Database, past: Past, account: str) -> None:
    """The marts that show the newest publish."""
    found = _table(database, _MART.format(mart="offer_issues"), "emag_offer_id", "issue_code", account=account)
    reckoning.compare("offer_issues", account, issues.expected(past, account), found)
    for mart, judge in (("buy_button", buy_button), ("low_stock", low_stock)):
        found = _table(database, _MART.format(mart=mart), "emag_offer_id", account=account)
        reckoning.compare(mart, account, judge.expected(past, account), found)


def _reconcile_moments(reckoning: Reckoning, database: Database, past: Past, account: str) -> None:
    """What readers saw at each publish and until the instant before it."""
    for before, publish in past.pairs(account):
        at = _table(database, _AS_OF, "emag_offer_id", account=account, at=publish.at)
        reckoning.compare("as of a publish", f"{account} at {publish.at}", _commercial(publish.offers), at)
        if before is None:  # nothing is known of it
            continue
        until = _table(database, _AS_OF, "emag_offer_id", account=account, at=publish.at - _INSTANT)
        reckoning.compare("as of the instant before", f"{account} at {publish.at}", _commercial(before.offers), until)


def _commercial(offers: Mapping[int, Row]) -> Table:
    return {offer_id: {name: state[name] for name in COMMERCIAL} for offer_id, state in offers.items()}


def _table(database: Database, sql: str, *key: str, **parameters: Any) -> dict[Hashable, dict[str, Any]]:
    found = [dict(row._mapping) for row in rows(database, sql, **parameters)]
    return {row[key[0]] if len(key) == 1 else tuple(row[name] for name in key): row for row in found}
