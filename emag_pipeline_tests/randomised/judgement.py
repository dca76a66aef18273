"""May this sync call itself completed? What it published, against what the sandbox said while it ran.

The API has no snapshot (docs/marketplace-api.md, "Overview"): an offer that changed while a sync was open may be
published as it was at any moment of that sync. With a single moment, nothing changed, and the published state is exact.

What the API cannot tell, and no sync is blamed for:
- an offer that pages hide is known only if it was published before: hidden ones that never were, or that have a
  tombstone, are unknown to any reader;
- a listing that reorders itself while it is read can put an offer where no window comes. The shuffled one does so at
  every arrival and departure; where that happens twice in a scan, an offer may be missed. In every other order offers
  that stay are never missed, whatever moves (docs/completeness.md).
"""

from collections.abc import Sequence
from itertools import pairwise

from emag_pipeline_tests.randomised.moments import Moment, Version
from emag_pipeline_tests.randomised.published import Published

#: faults that change which rows pages show, or how they look
OF_ROWS = frozenset({"short_page", "empty_page", "repeated_page"})
#: so many reorderings in one scan hide from a second reading
_SEEN_THROUGH = 2
#: columns of ours, which the marketplace does not tell
_OURS = frozenset({"row_hash", "first_seen_at", "changed_at", "deleted_at", "rejected_at", "last_sync_id"})


def is_certain(moment: Moment) -> bool:
    """Whether it is known which rows pages show: of poison and another fault on one page, only one happens."""
    return not moment.faults & OF_ROWS or (not moment.rejects and moment.told == moment.clean)


def assert_true(before: Published, during: Sequence[Moment], after: Published, *, reorders: bool) -> None:
    """The published state is one that the marketplace's answers of these moments justify, tombstones included.

    `reorders`: offers that stay change their places when others come or go.
    """
    _assert_deletions(before, during, after)
    _assert_versions(before, during, after)
    if not reorders or _moves(during) < _SEEN_THROUGH:
        _assert_arrivals(before, during, after)
    _assert_flags(during, after)


def _assert_versions(before: Published, during: Sequence[Moment], after: Published) -> None:
    is_drifting = any("drift" in moment.faults for moment in during)
    for offer_id, stored in after.live.items():
        justified = _versions(offer_id, before, during)
        if not justified and is_drifting:
            continue  # came and went between two looks at the sandbox
        assert justified, f"{offer_id} was published and never offered"
        differences = [_difference(stored, one) for one in justified]
        assert {} in differences, f"{offer_id} is published as no answer showed it; here and there: {differences[-1]}"


def _versions(offer_id: int, before: Published, during: Sequence[Moment]) -> list[Version]:
    found = []
    for moment in during:
        if offer_id not in moment.told:
            continue
        version = moment.told[offer_id] or before.live.get(offer_id)  # a bad row leaves the last good state
        found += [] if version is None else [version]
        if not is_certain(moment):
            found.append(moment.clean[offer_id])
    return found


def _difference(stored: Version, version: Version) -> dict[str, tuple[object, object]]:
    told = version.keys() - _OURS
    return {name: (stored[name], version[name]) for name in told if stored[name] != version[name]}


def _assert_deletions(before: Published, during: Sequence[Moment], after: Published) -> None:
    known = before.live.keys() | before.tombstones
    for offer_id in before.live:
        told = [offer_id in moment.told for moment in during]
        assert offer_id in after.live or not all(told), f"{offer_id} has a tombstone and was never gone"
        assert offer_id not in after.live or any(told), f"{offer_id} is published and has been gone all the time"
    assert after.tombstones == known - after.live.keys()


def _assert_arrivals(before: Published, during: Sequence[Moment], after: Published) -> None:
    shown = frozenset.intersection(*(moment.shown for moment in during))
    readable = {one for one in shown if all(moment.told[one] is not None for moment in during)}
    lost = readable - before.live.keys() - after.live.keys()
    assert not lost, f"{sorted(lost)} stood on pages all the time and are not published"


def _moves(during: Sequence[Moment]) -> int:
    """How often offers came or went."""
    return sum(max(1, a.drifts - 1) for a, b in pairwise(during) if a.shown != b.shown)


def _assert_flags(during: Sequence[Moment], after: Published) -> None:
    for offer_id in after.live:
        told = [moment.told[offer_id] is None for moment in during if offer_id in moment.told]
        if offer_id in after.flagged:
            assert any(told), f"{offer_id} is flagged and its row was never bad"
        elif told and len(told) == len(during) and all(map(is_certain, during)):
            assert not all(told), f"{offer_id} is not flagged and its row was bad all the time"
