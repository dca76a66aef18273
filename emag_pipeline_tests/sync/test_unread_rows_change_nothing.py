"""Two databases follow one marketplace: one remembers how rows are written, the other reads all. They become the same.

What is played is drawn by chance: prices, edits and edits taken back, departures and returns, rows of all broken kinds,
offers that stand twice, other spellings, fields that nobody knows.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from emag_pipeline import embedded
from emag_pipeline.errors import PipelineError
from emag_pipeline.review.checks import review
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import context_for
from emag_pipeline_tests.sync.syncs import rows

_OFFERS, _STEPS = 130, 9
_TOLERANT = {"EMAG_SYNC_REJECT_TOLERANCE": "0.9", "EMAG_SYNC_MAX_SHRINK": "0.9"}
_BROKEN = (
    "nul", "price", "no_id", "huge_id", "same_id_twice", "same_id_instead", "price_first", "no_id_first", "surrogate",
    "types", "long_name",
)  # fmt: skip
_WEIRD: tuple[dict[str, object], ...] = (
    {"sale_price": None}, {"currency": " ron "}, {"general_stock": 0}, {"status": 9}, {"warranty": 10**12}, {"ean": []},
    {"name": ""}, {"nobody_knows": [1]}, {"nobody_knows": None, "nor_this": "x"},
)  # fmt: skip
#: Everything that readers see, but for the moments at which and the syncs by which it came to be.
_SEEN = {
    "offers": "SELECT *, rejected_at IS NOT NULL AS flagged, deleted_at IS NOT NULL AS gone "
    "FROM emag_product_offers ORDER BY emag_offer_id",
    "products": "SELECT * FROM emag_products ORDER BY emag_offer_id",
    "states": "SELECT *, stamp_to IS NULL AS lasts FROM emag_offer_states ORDER BY emag_offer_id, stamp_from",
    "rejects": "SELECT r.page, r.emag_offer_id, r.reason, r.payload "
    "FROM emag_offer_rejects r JOIN emag_offer_syncs USING (sync_id) "
    "ORDER BY sync_number, r.emag_offer_id, reason, payload",
    "surprises": "SELECT resource, field, kind, times FROM emag_answer_surprises ORDER BY 1, 2, 3",
    "syncs": "SELECT status, phase, error_class, offers_created, offers_updated, offers_unchanged, offers_deleted, "
    "offers_rejected, proof - 'oldest_page_seconds' - 'pause_seconds' AS proof "
    "FROM emag_offer_syncs ORDER BY sync_number",
    "figures": "SELECT offers, saleable, deleted, quarantined FROM emag_account_figures",
}
_OF_TIME = {
    "first_seen_at", "changed_at", "last_sync_id", "sync_id", "stamp_from", "stamp_to", "rejected_at", "deleted_at",
}  # fmt: skip


@dataclass
class _Play:
    """What happens at the marketplace, one thing after the other."""

    market: SandboxServer
    chance: random.Random
    away: list[int] = field(default_factory=list)
    edits: list[tuple[int, dict[str, object]]] = field(default_factory=list)

    def happen(self) -> list[str]:
        """Let three things happen; returns their names. Broken rows are whole again afterwards."""
        self.market.clear_faults()
        names = self.chance.sample(sorted(_HAPPENINGS), 3)
        for name in names:
            _HAPPENINGS[name](self, self.chance.sample(self.market.ids("main"), 5))
        return names

    def remove(self, offers: list[int]) -> None:
        """They leave the catalogue."""
        self.market.remove("main", offers)
        self.away += offers

    def show(self, _: list[int]) -> None:
        """All that have left come back as they were."""
        self.market.show("main", self.away)
        self.away = []

    def edit(self, offers: list[int]) -> None:
        """One has another price and name."""
        true = self.market.truth_offer("main", offers[0])
        self.edits.append((offers[0], {"sale_price": true["sale_price"], "name": true["name"]}))
        self.market.edit("main", offers[0], sale_price=self.chance.choice([1, 2, 77.5]), name="Cafea rece")

    def take_back(self, _: list[int]) -> None:
        """The last edit is undone."""
        if self.edits:
            offer, before = self.edits.pop()
            self.market.edit("main", offer, **before)

    def be_weird(self, offers: list[int]) -> None:
        """Some hold what cannot be read, or nobody knows."""
        for offer in offers:
            self.market.edit("main", offer, **self.chance.choice(_WEIRD))

    def poison(self, offers: list[int]) -> None:
        """The rows of two are broken."""
        self.market.add_fault("poison", row=self.chance.choice(_BROKEN), offer_ids=offers[:2])


_HAPPENINGS: dict[str, Callable[[_Play, list[int]], object]] = {
    "prices": lambda play, _: play.market.advance(changes=8, account="main"),
    "a day": lambda play, _: play.market.advance(days=1, account="main"),
    "spelling": lambda play, _: play.market.settings(quirk_share=play.chance.choice([0, 0.06, 0.5, 1])),
    "shapes": lambda play, _: play.market.settings(shape_share=play.chance.choice([0, 0.5, 1])),
    "twice": lambda play, offers: play.market.double("main", offers[:1]),
    "remove": _Play.remove,
    "show": _Play.show,
    "edit": _Play.edit,
    "taken back": _Play.take_back,
    "weird": _Play.be_weird,
    "poison": _Play.poison,
}


@pytest.fixture
def twin(cluster: embedded.EmbeddedServer, template: str) -> Iterator[Database]:
    """A second database beside `database`."""
    with copied(cluster, template, "twin") as url, closing(Database(url, pool_size=8)) as database:
        yield database


def _seen(database: Database) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{key: row._mapping[key] for key in row._mapping if key not in _OF_TIME} for row in rows(database, sql)]
        for name, sql in _SEEN.items()
    }


def _end(context: SyncContext) -> str:
    """How a sync ends, in a word."""
    try:
        stage_account(context)
        if not audit_scan(context).accepted:
            return "refused"
        publish_scan(context)
    except PipelineError as error:
        return type(error).__name__
    return "published"


def _unread(database: Database) -> int:
    return int(rows(database, "SELECT count(*) AS n FROM emag_scan_offers WHERE is_unchanged")[0].n)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_what_is_published_is_the_same_whether_rows_are_read_again_or_not(
    database: Database, twin: Database, seed: int
) -> None:
    unread = published = 0
    with unlimited_sandbox(accounts={"main": _OFFERS}) as market:
        play = _Play(market, random.Random(seed))
        for step in range(_STEPS):
            happened = play.happen() if step else []
            end = _end(context_for(database, market.url, **_TOLERANT))
            assert end == _end(replace(context_for(twin, market.url, **_TOLERANT), anew=True)), (step, happened)
            assert _seen(database) == _seen(twin), (step, happened)
            assert _unread(twin) == 0
            unread += _unread(database)
            if end == "published":
                published += 1
                found = review(database, "published_equals_scan", "main", currency="RON", price_move=0.5)
                assert found.found == 0, (step, happened, found.sample)
    assert unread > _OFFERS, "nothing was tried"
    assert published > _STEPS / 2
