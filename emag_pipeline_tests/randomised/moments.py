"""What the sandbox's API truly says of an account at one moment, poison included, as rows of our tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.sandbox.page_faults import poisoned
from emag_pipeline_tests.sync.truth import expected

ACCOUNT = "main"
OFFERS_A_PAGE = 100
LARGEST_ID = 4_294_967_295
#: poison that spoils the row itself; the others leave it an offer, if with fields that cannot be read
_UNREADABLE = frozenset({"no_id", "huge_id"})

#: poison that puts an offer's row beside it, if its page goes on there
_BY_PAGE = frozenset({"same_id_twice", "same_id_instead"})

Version = Mapping[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Poison:
    """Rows that are spoilt wherever they are shown, for as long as this is in force."""

    kind: str
    offer_ids: frozenset[int]

    def spoil(self, rows: list[Row]) -> list[Row]:
        """The rows as the sandbox serves them."""
        return poisoned(rows, self.kind, 0, self.offer_ids)

    def hides(self, offer_id: int) -> bool:
        """Whether the offer's own row cannot be represented."""
        return self.kind in _UNREADABLE and offer_id in self.offer_ids


@dataclass(frozen=True)
class Moment:
    """`told` holds every offer that a read by its id finds; None stands for a row that cannot be represented."""

    told: Mapping[int, Version | None]
    #: the same without poison
    clean: Mapping[int, Version]
    #: offers whose page shows a row of theirs that can be represented
    shown: frozenset[int]
    #: the id of each row on pages that cannot be represented, None where it has none
    rejects: tuple[int | None, ...]
    count: int
    #: changes that wait for a page to be read
    drifts: int
    #: faults in force that are not poison
    faults: frozenset[str] = field(default=frozenset())
    #: which rows a page holds that cannot be represented depends on where it begins
    is_by_page: bool = False

    def looks_like(self, other: "Moment") -> bool:
        """Whether nothing that the API tells has changed."""
        return (self.told, self.shown, self.rejects) == (other.told, other.shown, other.rejects)

    def readable(self, live: Mapping[int, Version]) -> set[int]:
        """The offers that a complete scan stages: those that pages show, and the missing ones that their id finds."""
        return {*self.shown, *(one for one in self.missing(live) if self.told.get(one) is not None)}

    def missing(self, live: Mapping[int, Version]) -> set[int]:
        """The published offers that no page accounts for: each has to be asked for by its id."""
        return live.keys() - self.shown - set(self.rejects)

    def collapsed(self, live: Mapping[int, Version], max_shrink: float) -> bool:
        """Whether more offers are missing than may vanish without a person's approval."""
        return len(self.missing(live)) > max_shrink * max(1, len(live) or len(self.shown))

    def rejected_by_id(self, live: Mapping[int, Version]) -> list[int]:
        """The missing offers whose row is found by id and cannot be represented."""
        return sorted(one for one in self.missing(live) & self.told.keys() if self.told[one] is None)

    def is_too_bad(self, live: Mapping[int, Version], tolerance: float) -> bool:
        """Whether a larger share of rows than tolerated goes to the quarantine, or has fields that cannot be read."""
        quarantined = len(self.rejects) + len(self.rejected_by_id(live))
        unreadable = sum(bool((self.told[one] or {}).get("unreadable")) for one in self.readable(live))
        return quarantined + unreadable > tolerance * (len(self.shown) + quarantined)


def look(market: SandboxServer, poison: Poison | None) -> Moment:
    """Read the sandbox's truth, which faults do not touch."""
    told = market.command("truth", {"account": ACCOUNT, "page": 1, "items_per_page": 10**6, "ids": True})
    offers, saleable = list(told["offers"]), set(told["saleable"])
    hidden = [market.command("truth", {"account": ACCOUNT, "id": one}) for one in told["hidden"]]
    shown, rejects = _on_pages(offers, poison)
    for one in hidden:
        offers += one["offers"]
        saleable.update(one["saleable"])
    faults = _in_force(market)
    return Moment(
        told={offer["id"]: _told(offer, saleable, poison) for offer in offers},
        clean={offer["id"]: expected(offer, offer["id"] in saleable) for offer in offers},
        shown=shown,
        rejects=rejects,
        count=int(told["count"]),
        drifts=faults.count("drift"),
        faults=frozenset(faults),
        is_by_page=poison is not None and poison.kind in _BY_PAGE,
    )


def _told(offer: Row, saleable: set[int], poison: Poison | None) -> Version | None:
    offer_id = offer["id"]
    if poison is None or offer_id not in poison.offer_ids:
        return expected(offer, offer_id in saleable)
    if poison.hides(offer_id):
        return None
    version = expected(poison.spoil([offer])[0], offer_id in saleable)
    return version | {"is_saleable": version["is_saleable"] and not version["unreadable"]}


def _on_pages(offers: list[Row], poison: Poison | None) -> tuple[frozenset[int], tuple[int | None, ...]]:
    shown: set[int] = set()
    rejects: list[int | None] = []
    for first in range(0, len(offers), OFFERS_A_PAGE):
        page = offers[first : first + OFFERS_A_PAGE]
        for row in poison.spoil(page) if poison else page:
            offer_id = row.get("id")
            if offer_id is None or offer_id > LARGEST_ID:
                rejects.append(None)
            elif offer_id in shown or (poison and poison.hides(offer_id)):
                rejects.append(offer_id)
            else:
                shown.add(offer_id)
    return frozenset(shown), tuple(rejects)


def _in_force(market: SandboxServer) -> list[str]:
    return [fault["kind"] for fault in market.faults() if fault["kind"] != "poison" and fault["done"] < fault["count"]]
