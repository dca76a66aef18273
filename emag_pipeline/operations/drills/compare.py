"""What is published against what the sandbox truly has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emag_pipeline.db.published import PublishedOffer
from emag_pipeline.operations.drills.truth import as_stored
from emag_pipeline.sandbox import SandboxControl

Published = Mapping[int, PublishedOffer]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Offers that are not as they should be.

    `lost`: the marketplace has them, shown or hidden, but they are not published, or differ from it in any column.
    `wrongly_deleted`: tombstoned, though the marketplace has them. `kept`: published, though they are gone.
    """

    lost: frozenset[int]
    wrongly_deleted: frozenset[int]
    kept: frozenset[int]


def compare(published: Published, control: SandboxControl, account: str) -> Comparison:
    """Compare all offers of an account."""
    truth = {offer["id"]: offer for offer in _truth(control, account)}
    live = {one for one, offer in published.items() if not offer.is_deleted}
    tombstoned = published.keys() - live
    return Comparison(
        lost=frozenset(one for one, offer in truth.items() if one not in live or not _same(published[one], offer)),
        wrongly_deleted=frozenset(tombstoned & truth.keys()),
        kept=frozenset(live - truth.keys()),
    )


def _truth(control: SandboxControl, account: str) -> Iterator[dict[str, Any]]:
    yield from control.truth(account)
    for hidden in control.command("truth", {"account": account, "ids": True})["hidden"]:
        offer = control.truth_offer(account, hidden)
        if offer is not None:
            yield offer


def _same(published: PublishedOffer, offer: Mapping[str, Any]) -> bool:
    return all(published.columns[name] == value for name, value in as_stored(offer).items())
