"""What readers see, and whether the history tells the same story."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emag_pipeline.store.columns import NARROW, listed
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.randomised.moments import ACCOUNT, Version
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import published

_TOMBSTONES = "SELECT emag_offer_id FROM emag_product_offers WHERE deleted_at IS NOT NULL"
_FINGERPRINT = """
    SELECT (SELECT md5(string_agg(o::text, '|' ORDER BY emag_offer_id)) FROM emag_product_offers o) AS offers,
           (SELECT md5(string_agg(p::text, '|' ORDER BY emag_offer_id)) FROM emag_products p) AS products,
           (SELECT md5(string_agg(h::text, '|' ORDER BY emag_offer_id, valid_from))
            FROM emag_offer_history h) AS history
"""
_BROKEN_INTERVALS = """
    SELECT emag_offer_id, valid_from, valid_to, next_from FROM (
        SELECT emag_offer_id, valid_from, valid_to,
               lead(valid_from) OVER (PARTITION BY emag_offer_id ORDER BY valid_from) AS next_from
        FROM emag_offer_history) states
    WHERE valid_to <= valid_from OR (next_from IS NOT NULL AND (valid_to IS NULL OR valid_to > next_from))
"""
_OPEN_STATES = "SELECT emag_offer_id FROM emag_offer_history WHERE valid_to IS NULL ORDER BY 1"
_AS_OF = f"SELECT emag_offer_id, {listed(NARROW)} FROM emag_offers_as_of(:account, :at)"
_QUARANTINE = """
    SELECT r.page > 0 AS on_page, r.emag_offer_id FROM emag_offer_rejects r
    JOIN emag_offer_syncs s USING (sync_id) WHERE s.sync_id = :sync
"""


@dataclass(frozen=True)
class Published:
    """The published offers by id, the flagged ones among them, and the tombstones."""

    live: Mapping[int, Version]
    flagged: frozenset[int]
    tombstones: frozenset[int]


NOTHING = Published({}, frozenset(), frozenset())


def read_published(database: Database) -> Published:
    """What readers see now."""
    stored = {row["emag_offer_id"]: row for row in published(database, ACCOUNT)}
    return Published(
        live=stored,
        flagged=frozenset(one for one, row in stored.items() if row["rejected_at"] is not None),
        tombstones=frozenset(row.emag_offer_id for row in rows(database, _TOMBSTONES)),
    )


def fingerprint(database: Database) -> Any:
    """A value that changes with anything that readers could see."""
    return rows(database, _FINGERPRINT)[0]


def quarantined(database: Database, sync_id: object) -> tuple[list[int | None], list[int | None]]:
    """The offers' ids in a sync's quarantine: rows on pages, and rows read by id."""
    found = rows(database, _QUARANTINE, sync=sync_id)
    of = {where: [row.emag_offer_id for row in found if row.on_page is where] for where in (True, False)}
    return of[True], of[False]


class Chronicle:
    """What was published when, in the test's own memory."""

    def __init__(self) -> None:
        self._remembered: list[tuple[datetime, dict[int, dict[str, Any]]]] = []

    def remember(self, at: datetime, state: Published) -> None:
        """Keep the commercial columns of one publish."""
        offers = {one: {name: row[name] for name in NARROW} for one, row in state.live.items()}
        self._remembered.append((at, offers))

    def assert_told_by(self, database: Database) -> None:
        """The history's intervals do not overlap, only live offers have an open state, every past can be asked for."""
        assert rows(database, _BROKEN_INTERVALS) == []
        live = sorted(self._remembered[-1][1]) if self._remembered else []
        assert [row.emag_offer_id for row in rows(database, _OPEN_STATES)] == live
        for at, remembered in self._remembered:
            told = rows(database, _AS_OF, account=ACCOUNT, at=at)
            assert len(told) == len(remembered), f"as of {at}"
            for row in told:
                assert {name: getattr(row, name) for name in NARROW} == remembered[row.emag_offer_id], f"as of {at}"
